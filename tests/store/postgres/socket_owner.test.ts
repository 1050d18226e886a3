/** Which Unix sockets are used: by the mode of their folder, and by whose they are. */

import assert from "node:assert/strict";
import { type FileOwner, socketProblem } from "../../../src/store/postgres/connection/socket_owner.ts";

const passwd = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104::/:/bin/sh\nme:x:1000:1000::/:/bin/sh\n" +
  "mallory:x:1001:1001::/:/bin/sh\npostgres:x:1001:1::/:/bin/sh\n";

/** What is said of a socket of `uid` in a folder with this mode, asked for by user 1000. */
function said(
  mode: number,
  uid: number,
  peer: string | null = null,
  { own = 1000 as number | null, isLink = false } = {},
) {
  const path = "/tmp/.s.PGSQL.5432";
  const folder: FileOwner = { mode: 0o40000 | mode, uid: 0, isSymlink: false };
  const socket: FileOwner = { mode: 0o140777, uid, isSymlink: isLink };
  return socketProblem(path, peer, {
    stat: (asked) => asked === "/tmp" ? folder : asked === path ? { ...socket, isSymlink: false } : undefined,
    lstat: (asked) => asked === path ? socket : undefined,
    readFile: (asked) =>
      asked === "/etc/passwd" ? { text: passwd, isFile: true, mode: 0o644, uid: 0 } as never : undefined,
    uid: () => own,
  }) ?? "";
}

const sticky = 0o1777;

Deno.test("a socket in a folder that others can write is used only if it is of root, the server's user or ourselves", () => {
  for (const uid of [0, 101, 1000]) assert.equal(said(sticky, uid), "", String(uid));
  assert.match(said(sticky, 1001), /belongs to user mallory, in a folder.*requirepeer=mallory$/);
  assert.match(said(sticky, 4242), /belongs to user 4242/);
  assert.match(said(0o2775, 1001), /belongs to user mallory/);
  assert.equal(said(0o2775, 101), "", "as Debian has it");
  assert.equal(said(0o755, 1001), "", "nobody but its owner can have put it there");
  assert.match(said(0o777, 101), /can be replaced by anybody/);
  assert.match(said(sticky, 101, null, { isLink: true }), /is a link/);
});

Deno.test("with requirepeer it has to be of that user, wherever it is", () => {
  assert.equal(said(sticky, 1001, "mallory"), "");
  assert.equal(said(0o755, 1001, "1001"), "", "also by the number");
  for (const mode of [sticky, 0o755]) {
    assert.match(said(mode, 1001, "postgres"), /belongs to user mallory, not to postgres \(requirepeer\)$/);
    assert.match(said(mode, 0, "postgres"), /belongs to user root, not to/);
    assert.match(said(mode, 1000, "nobody knows"), /belongs to user me, not to nobody knows/);
  }
  assert.match(said(0o777, 101, "postgres"), /can be replaced by anybody/);
  assert.equal(said(sticky, 1001, null, { own: null }), "", "Windows has no owners");
  assert.match(said(sticky, 1001, "mallory", { own: null }), /cannot be told/);
});
