/** What an idle worker is measured against: a program that waits. */

setInterval(() => {}, 1000);
