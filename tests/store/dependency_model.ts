/** Jobs that wait for one another, on plain objects: every rule said once, without a thought of speed. */

import type { JobState, NewJob } from "../../src/job/job.ts";

interface Edge {
  parent: Node;
  kind: "success" | "any";
  broken: boolean;
}

interface Node {
  id: string;
  state: JobState;
  held: boolean;
  /** Whether it was held when it was cancelled because of another one. */
  heldBefore: boolean;
  cancelRequested: boolean;
  edges: Edge[];
}

export type Graph = ReturnType<typeof createGraph>;

const waits = ({ state }: Node) => state === "pending" || state === "failed";
const isOpen = ({ parent }: Edge) => waits(parent) || parent.state === "processing";
const hasFailed = ({ parent, kind }: Edge) =>
  kind === "success" && (parent.state === "dead" || parent.state === "cancelled");

export function createGraph() {
  let nodes: Node[] = [];
  const node = (id: string) => nodes.find((node) => node.id === id)!;
  const childrenOf = (parent: Node) =>
    nodes.flatMap((child) =>
      child.edges.filter((edge) => edge.parent === parent).map((edge) => ({ child, edge }))
    );
  const blocked = (node: Node) => node.edges.filter(isOpen).length;

  function enter(node: Node, state: JobState): void {
    const had = isOpen({ parent: node } as Edge);
    Object.assign(node, { state, cancelRequested: false });
    if (state === "cancelled") Object.assign(node, { held: false, heldBefore: node.held });
    if (!had || isOpen({ parent: node } as Edge)) return;
    for (const { child, edge } of childrenOf(node)) {
      if (!waits(child) || !hasFailed(edge)) continue;
      edge.broken = true;
      enter(child, "cancelled");
    }
  }

  const comeBack = (node: Node) =>
    Object.assign(node, { state: "pending", held: node.heldBefore, heldBefore: false });

  /** Those that are to run again, which are pending already. */
  function reopen(again: readonly Node[]): void {
    const edges = again.flatMap(childrenOf);
    const broken = new Set(edges.filter(({ edge }) => edge.broken).map(({ child }) => child));
    for (const { edge } of edges) edge.broken = false;
    const back: Node[] = [];
    for (const child of broken) {
      const failures = child.edges.filter(hasFailed);
      for (const edge of failures) edge.broken = true;
      if (failures.length > 0) continue;
      comeBack(child);
      back.push(child);
    }
    if (back.length > 0) reopen(back);
  }

  return {
    ids: () => nodes.map(({ id }) => id),
    state: (id: string) => node(id).state,
    view: () =>
      Object.fromEntries(nodes.map((node) => [node.id, `${node.state} ${waits(node) ? blocked(node) : 0}`])),
    ready: () => nodes.filter((node) => waits(node) && !node.held && blocked(node) === 0).map(({ id }) => id),

    add(jobs: readonly NewJob[]): void {
      const added = jobs.map(({ id, held = false }): Node => ({
        id,
        state: "pending",
        held,
        heldBefore: false,
        cancelRequested: false,
        edges: [],
      }));
      nodes.push(...added);
      for (const [index, { after = [], afterAny = [] }] of jobs.entries()) {
        const success = new Set(after);
        added[index].edges = [...new Set([...after, ...afterAny])].map((id) => ({
          parent: node(id),
          kind: success.has(id) ? "success" : "any",
          broken: false,
        }));
      }
      for (const child of added) {
        const failures = child.edges.filter(({ parent, ...edge }) =>
          !added.includes(parent) && hasFailed({ parent, ...edge })
        );
        for (const edge of failures) edge.broken = true;
        if (failures.length > 0 && waits(child)) enter(child, "cancelled");
      }
    },
    begin: (id: string) => void (node(id).state = "processing"),
    end(id: string, state: JobState): void {
      const ended = node(id);
      enter(ended, ended.cancelRequested && state !== "completed" ? "cancelled" : state);
    },
    cancel(ids: readonly string[]): boolean {
      const chosen = ids.map(node);
      if (!chosen.every((node) => waits(node) || node.state === "processing")) return false;
      const waiting = chosen.filter(waits);
      for (const one of chosen) if (one.state === "processing") one.cancelRequested = true;
      // All at once: none of them is cancelled because of another.
      const edges = waiting.flatMap((one) => childrenOf(one));
      for (const one of waiting) Object.assign(one, { state: "cancelled", held: false });
      for (const { child, edge } of edges) {
        if (!hasFailed(edge) || waiting.includes(child)) continue;
        if (waits(child)) {
          edge.broken = true;
          enter(child, "cancelled");
        }
      }
      return true;
    },
    retry(ids: readonly string[], named: boolean): boolean {
      const isRight = ({ state }: Node) => ["completed", "failed", "dead", "cancelled"].includes(state);
      let chosen = ids.map(node);
      if (named && !chosen.every(isRight)) return false;
      chosen = chosen.filter(isRight);
      for (let before = -1; before !== chosen.length;) {
        before = chosen.length;
        chosen = chosen.filter(({ edges }) =>
          edges.every((edge) => !hasFailed(edge) || chosen.includes(edge.parent))
        );
        if (named && chosen.length < before) return false;
      }
      for (const one of chosen) {
        comeBack(one);
        for (const edge of one.edges) edge.broken = false;
      }
      reopen(chosen);
      return true;
    },
    remove(ids: readonly string[]): boolean {
      const gone = ids.map(node);
      if (gone.some(({ state }) => state === "processing")) return false;
      const edges = gone.flatMap((one) => childrenOf(one)).filter(({ child }) => !gone.includes(child));
      nodes = nodes.filter((node) => !gone.includes(node));
      for (const one of nodes) one.edges = one.edges.filter(({ parent }) => !gone.includes(parent));
      const lost = edges.filter(({ edge }) => edge.kind === "success" && edge.parent.state !== "completed");
      for (const { child, edge } of lost) if (isOpen(edge) && waits(child)) enter(child, "cancelled");
      // These stay so, also where the end of one of them has cancelled another one first.
      for (const { child } of lost) for (const edge of child.edges) edge.broken = false;
      return true;
    },
  };
}
