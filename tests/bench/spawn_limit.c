/* COUNT SIDE_BY_SIDE: how fast this system starts `sh -c true`, without anything around it. */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
  int left = atoi(argv[1]), free_slots = atoi(argv[2]), running = 0;
  char *arguments[] = {"sh", "-c", "true", NULL};
  while (left > 0 || running > 0) {
    if (left > 0 && running < free_slots) {
      pid_t pid;
      if (posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ) != 0) return 1;
      left--;
      running++;
    } else {
      if (wait(NULL) < 0) return 1;
      running--;
    }
  }
  return 0;
}
