"""The tree grown again from the entries, against stored nodes, every signed checkpoint and the one that is shown."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, Table, and_, func, or_, select

from signsvc.merkle import HASH_BYTES, Frontier, Node, leaf_hash
from signsvc.notes import Checkpoint, NoteError, open_checkpoint
from signsvc.proofs import leaf_data
from signsvc.registry.audit.findings import Findings
from signsvc.registry.book import Book
from signsvc.registry.log import NO_TRAIL, trail
from signsvc.registry.schema import checkpoints, entries, nodes, typed


class TreeCheck:
    """Grows page by page; holds no more than a page of nodes at a time."""

    def __init__(
        self, connection: Connection, book: Book, shown: Checkpoint | None, findings: Findings
    ) -> None:
        self.connection, self.book, self.shown, self.findings = connection, book, shown, findings
        self.frontier = Frontier()
        self.nodes = self.checkpoints = 0
        self.newest = -1  # size of the largest checkpoint met
        self.trail = NO_TRAIL

    def page(self, end: int, rows: Mapping[int, RowMapping]) -> None:
        """Go on to leaf `end`; `rows` are the entries from here to there by index."""
        start = self.frontier.size
        stored = self._stored(start, end)
        signed = self._signed(start, end)
        self._compare(signed)
        for index in range(start, end):
            for node, value in self.frontier.append(self._leaf(index, rows.get(index), stored)):
                self.nodes += 1
                if stored.get(node) != value:
                    self.findings.fault("node_changed", f"日志节点 {node[0]}/{node[1]} 缺失或被改动")
            self._compare(signed)

    def finish(self, recorded: str | None) -> None:
        """What is there beside what was met on the way, and whether every checkpoint was met.

        `recorded` is what the registry says stands for all checkpoints that it has signed.
        """
        extra = self._count(nodes) - self.nodes
        if extra > 0:
            self.findings.fault("node_extra", f"日志多出 {extra} 个节点")
        if self._count(checkpoints) != self.checkpoints:
            self.findings.fault("checkpoint_stray", "有检查点超出日志条目的范围")
        if recorded != self.trail:
            self.findings.fault("checkpoint_missing", "检查点的总账与登记不符：有检查点被删除、添加或改动")
        self._judge_shown()

    def _leaf(self, index: int, row: RowMapping | None, stored: Mapping[Node, bytes]) -> bytes:
        """The leaf hash of an entry; of a missing one what is stored, so that the rest can still be judged."""
        if row is not None and typed(entries, row):
            return leaf_hash(leaf_data(row["salt"], row["record"]))
        if row is None:
            self.findings.fault("entry_missing", f"日志第 {index} 条缺失")
        return stored.get((0, index), bytes(HASH_BYTES))

    def _compare(self, signed: Mapping[int, str]) -> None:
        """Hold the root of the tree as it is now against what was signed for this size."""
        size = self.frontier.size
        if size in signed:
            self.checkpoints += 1
            self.newest = size
            self.trail = trail(self.trail, signed[size])
            if self._opened(size, signed[size]) != self.frontier.root():
                self.findings.fault("checkpoint_changed", f"条目数为 {size} 的检查点被改动，或与条目不符")
        if self.shown is not None and self.shown.size == size and self.shown.root != self.frontier.root():
            self.findings.fault("shown_changed", "已公布的检查点与登记库的条目不符")

    def _opened(self, size: int, note: str) -> bytes | None:
        try:
            checkpoint = open_checkpoint(note, self.book.verifier)
        except NoteError:
            return None
        return checkpoint.root if checkpoint.size == size else None

    def _judge_shown(self) -> None:
        """The shown checkpoint may be a step ahead of the table, never behind; before the first there is none."""
        shown = self.shown.size if self.shown is not None else -1
        if shown < self.newest:
            self.findings.fault("shown_behind", "已公布的检查点缺失，或比登记库旧：可能被换回旧文件")
        elif shown > self.newest:
            self.findings.note("shown_ahead", "已公布的检查点尚未记入登记库，下次写入时自动补记")
        if (waiting := self.frontier.size - max(shown, 0)) > 0:
            self.findings.note("unpublished", f"有 {waiting} 条尚未公布到日志，下次写入时自动公布")

    def _stored(self, start: int, end: int) -> dict[Node, bytes]:
        """The stored nodes that become complete with leaves `start` to `end - 1`."""
        spans = [(level, start >> level, end >> level) for level in range(end.bit_length())]
        named = [
            and_(nodes.c.level == level, nodes.c.idx.between(first, last - 1))
            for level, first, last in spans
            if first < last
        ]
        if not named:
            return {}
        found = self.connection.execute(select(nodes).where(or_(*named))).mappings()
        return {(row["level"], row["idx"]): row["hash"] for row in found if typed(nodes, row)}

    def _signed(self, start: int, end: int) -> dict[int, str]:
        first = start + 1 if start else 0
        query = select(checkpoints).where(checkpoints.c.size.between(first, end))
        # What is no text is no note, and refused as one.
        found = self.connection.execute(query).mappings()
        return {row["size"]: row["note"] if typed(checkpoints, row) else "" for row in found}

    def _count(self, table: Table) -> int:
        return int(self.connection.execute(select(func.count()).select_from(table)).scalar_one())
