"""How `scan` writes: a writer for each format, fed one model after the other."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tflrepair.cli.output import emit, emit_json, emit_results, report_error, style
from tflrepair.errors import TflRepairError
from tflrepair.findings import Finding
from tflrepair.wording import plural

if TYPE_CHECKING:
    from tflrepair.commands.scan import ScanResult
    from tflrepair.commands.scan_saved_model import SavedModelScan
    from tflrepair.report.contract.parts import ErrorItem


class ScanFormat(StrEnum):
    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"
    md = "md"


class FailOn(StrEnum):
    error = "error"
    warning = "warning"
    info = "info"


def fails(findings: Iterable[Finding], threshold: FailOn) -> bool:
    """Whether a finding is as bad as ``threshold`` or worse."""
    order = list(FailOn)
    return any(order.index(FailOn(str(f.severity))) <= order.index(threshold) for f in findings)


class Writer(ABC):
    """``targets``: pairs of a TargetReport and an arena, for each --target.

    ``fix_hints``: say how each kind of finding is fixed. Formats for machines name the codes, and
    SARIF has the whole documentation in its rules. ``everything``: leave nothing out of lists.
    """

    def __init__(self, fix_hints: bool = False, everything: bool = False) -> None:
        self.fix_hints = fix_hints
        self.everything = everything

    @abstractmethod
    def model(self, scan: ScanResult, brief: bool, targets: list[Any]) -> None: ...

    @abstractmethod
    def saved_model(self, scan: SavedModelScan) -> None: ...

    def failed(self, path: str, error: TflRepairError, salvage: bool) -> None:
        report_error(error)

    def take(self, other: Any) -> None:
        """Add what another one of this kind was fed with (``scan --jobs``); its text is printed."""
        return

    def finish(self, exit_codes: list[int]) -> None:
        """After the last one."""
        return


class TextWriter(Writer):
    def __init__(self, fix_hints: bool = False, everything: bool = False) -> None:
        super().__init__(fix_hints, everything)
        self.width = shutil.get_terminal_size().columns
        self.count = 0

    def model(self, scan: ScanResult, brief: bool, targets: list[Any]) -> None:
        from tflrepair.report import layout, scan_text

        if brief and not self.everything:
            emit(layout.fit("\n".join(scan_text.brief(scan, style())), self.width))
        else:
            text = layout.fit(scan_text.render(scan, style(), self.everything), self.width)
            emit(("\n" if self.count else "") + text)
        if self.fix_hints:
            from tflrepair.report import fix_hints

            rows = list(fix_hints.lines(scan, style(), self.width))
            if rows:
                emit("\n" + "\n".join(rows))
        for report, arena in targets:
            from tflrepair.report import target_text

            emit("\n" + "\n".join(target_text.lines(report, arena, style(), self.width)))
        self.count += 1

    def take(self, other: TextWriter) -> None:
        self.count += other.count

    def saved_model(self, scan: SavedModelScan) -> None:
        from tflrepair.report import saved_model_text

        emit("\n".join(saved_model_text.lines(scan, style(), self.width)))
        self.count += 1

    def failed(self, path: str, error: TflRepairError, salvage: bool) -> None:
        from tflrepair.report import damage

        super().failed(path, error, salvage)
        before = "\n" if self.count else ""
        self.count += 1
        verdict = _verdict(error)
        if verdict is None:
            return
        left = remains_of(verdict) if salvage else None
        lines = [*damage.remains_text(path, left, style()), ""] if left else []
        emit(before + "\n".join([*lines, *damage.faults_text(verdict, style())]))
        self._salvaged(path, verdict if salvage else None)

    def _salvaged(self, path: str, verdict: Any) -> None:
        from tflrepair.commands.scan import scan_what_is_left
        from tflrepair.report import layout, scan_text

        result = scan_what_is_left(path, verdict) if verdict is not None else None
        if result is not None:
            text = scan_text.render(result, style(), self.everything)
            emit("\n" + layout.fit(text, self.width))

    def finish(self, exit_codes: list[int]) -> None:
        if len(exit_codes) > 1:
            emit(
                f"\n{plural(len(exit_codes), 'model')}: {exit_codes.count(0)} with nothing wrong, "
                f"{exit_codes.count(1)} with errors, {exit_codes.count(2)} unreadable"
            )


class JsonWriter(Writer):
    def __init__(self, fix_hints: bool = False, everything: bool = False) -> None:
        super().__init__(fix_hints, everything)
        self.rows: list[Mapping[str, Any]] = []
        self.errors: list[ErrorItem] = []

    def model(self, scan: ScanResult, brief: bool, targets: list[Any]) -> None:
        from tflrepair.report import scan_json, target_text

        item = scan_json.item(scan, [target_text.item(*pair) for pair in targets])
        if self.fix_hints:
            from tflrepair.report import fix_hints

            item["fix_hints"] = fix_hints.to_dict(scan)
        self.rows.append(item)

    def take(self, other: JsonWriter) -> None:
        self.rows += other.rows
        self.errors += other.errors

    def saved_model(self, scan: SavedModelScan) -> None:
        from tflrepair.report import saved_model_text

        self.rows.append(saved_model_text.item(scan))

    def failed(self, path: str, error: TflRepairError, salvage: bool) -> None:
        from tflrepair.report.contract.envelope import error_item

        super().failed(path, error, salvage)
        self.errors.append(error_item(error, path, salvage=salvage))

    def finish(self, exit_codes: list[int]) -> None:
        emit_results(max(exit_codes, default=0), self.rows, self.errors)


class SarifWriter(Writer):
    def __init__(self, fix_hints: bool = False, everything: bool = False) -> None:
        super().__init__(fix_hints, everything)
        self.scans: list[tuple[str, Any]] = []
        self.errors: dict[str, TflRepairError] = {}

    def model(self, scan: ScanResult, brief: bool, targets: list[Any]) -> None:
        self.scans.append((scan.model.path or "model", scan.findings))

    def take(self, other: SarifWriter) -> None:
        self.scans += other.scans
        self.errors |= other.errors

    def saved_model(self, scan: SavedModelScan) -> None:
        self.scans.append((scan.facts.path, scan.findings))

    def failed(self, path: str, error: TflRepairError, salvage: bool) -> None:
        super().failed(path, error, salvage)
        self.errors[path] = TflRepairError(error.message, hint=error.hint)  # without the file

    def finish(self, exit_codes: list[int]) -> None:
        from tflrepair.report.export import sarif

        emit_json(sarif.to_dict(self.scans, self.errors))


class GithubWriter(Writer):
    def model(self, scan: ScanResult, brief: bool, targets: list[Any]) -> None:
        from tflrepair.report.export import github

        for line in github.lines(scan.model.path or "model", scan.findings):
            emit(line)

    def saved_model(self, scan: SavedModelScan) -> None:
        from tflrepair.report.export import github

        for line in github.lines(scan.facts.path, scan.findings):
            emit(line)

    def failed(self, path: str, error: TflRepairError, salvage: bool) -> None:
        from tflrepair.report.export import github

        super().failed(path, error, salvage)
        emit(github.failed(path, error))


class MarkdownWriter(Writer):
    def model(self, scan: ScanResult, brief: bool, targets: list[Any]) -> None:
        from tflrepair.report.export import markdown

        told = markdown.facts(scan)
        emit("\n".join(markdown.lines(scan.model.path or "model", told, scan.findings)) + "\n")
        if self.fix_hints:
            emit("\n".join(markdown.fix_hints(scan)) + "\n")

    def saved_model(self, scan: SavedModelScan) -> None:
        from tflrepair.report.export import markdown

        emit("\n".join(markdown.lines(scan.facts.path, "SavedModel", scan.findings)) + "\n")

    def failed(self, path: str, error: TflRepairError, salvage: bool) -> None:
        from tflrepair.report.export import markdown

        super().failed(path, error, salvage)
        emit("\n".join(markdown.failed(path, error)) + "\n")


def _verdict(error: TflRepairError) -> Any:
    """What is wrong with a damaged file; None for any other error."""
    from tflrepair.structure.verify import DamagedError

    return error.verdict if isinstance(error, DamagedError) else None


def remains_of(verdict: Any) -> Any:
    """What can still be read of a damaged file."""
    from tflrepair.structure.salvage import remains

    return remains(verdict)


WRITERS: dict[ScanFormat, type[Writer]] = {
    ScanFormat.text: TextWriter,
    ScanFormat.json: JsonWriter,
    ScanFormat.sarif: SarifWriter,
    ScanFormat.github: GithubWriter,
    ScanFormat.md: MarkdownWriter,
}
