"""What an audit has to say, in a bounded list however much is broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

MOST_OF_A_KIND = 100


@dataclass(frozen=True)
class Finding:
    """A `fault` is a change or a loss; a `note` is worth knowing and is none. `code` is stable, `message` Chinese."""

    severity: Literal["fault", "note"]
    code: str
    message: str


@dataclass
class Findings:
    """Collects findings: the first hundred of each code, and how many more there were."""

    found: list[Finding] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def fault(self, code: str, message: str) -> None:
        """Something was changed or lost."""
        self._add(Finding("fault", code, message))

    def note(self, code: str, message: str) -> None:
        """Something is unfinished, and no fault."""
        self._add(Finding("note", code, message))

    def told(self) -> list[Finding]:
        """Everything, ending with what was left out."""
        severities = {item.code: item.severity for item in self.found}
        more = [
            (code, count - MOST_OF_A_KIND) for code, count in self.counted.items() if count > MOST_OF_A_KIND
        ]
        left_out = [Finding(severities[code], code, f"同类问题另有 {count} 处") for code, count in more]
        return self.found + left_out

    def _add(self, finding: Finding) -> None:
        self.counted[finding.code] += 1
        if self.counted[finding.code] <= MOST_OF_A_KIND:
            self.found.append(finding)
