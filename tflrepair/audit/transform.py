"""The transforms of Apache Beam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tflrepair.audit.rows import Row, Summary, add, merge, nothing
from tflrepair.audit.scanner import Input, Scanner
from tflrepair.errors import UnsupportedError

try:
    import apache_beam as beam
except ImportError:
    raise UnsupportedError(
        "tflrepair.audit needs Apache Beam", hint="pip install 'tflrepair[beam]'"
    ) from None


class Scan(beam.PTransform):
    """Models -> what is in each of them and what is wrong with it.

    Elements are paths or addresses (``gs://``, ``s3://``, ``https://``, with the extra ``remote``)
    of models, archives or folders; or pairs of a name and the bytes of one model. Each model gives
    one ``Row``, and so does an element that cannot be read: ``ok`` is false and ``error`` says
    why. No element stops the pipeline: files are read in a child process for each worker, and one
    that ends it, or takes longer than ``seconds``, is a row with an error as well.

    Args:
        select: only checks whose code begins with one of these.
        ignore: no check whose code begins with one of these.
        values: run the checks that read weights, too.
        seconds: how long one element may take.

    Raises:
        UserError: no check has such a code, or ``seconds`` is not positive.
    """

    def __init__(
        self,
        *,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        values: bool = False,
        seconds: float = 300.0,
    ) -> None:
        super().__init__()
        self._scanner = Scanner(tuple(select), tuple(ignore), values, seconds)

    def expand(self, pcoll: beam.PCollection) -> beam.PCollection:
        return pcoll | "Scan each" >> beam.ParDo(_ScanEach(self._scanner))


class _ScanEach(beam.DoFn):
    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    def process(self, element: Input) -> Iterator[Row]:
        yield from self._scanner.rows(element)

    def teardown(self) -> None:
        self._scanner.close()


class Tally(beam.CombineFn):
    """Rows of ``Scan`` -> one ``Summary``, for ``beam.CombineGlobally`` or ``CombinePerKey``."""

    def create_accumulator(self) -> Summary:
        return nothing()

    def add_input(self, accumulator: Summary, row: Row) -> Summary:
        return add(accumulator, row)

    def merge_accumulators(self, accumulators: Iterable[Summary]) -> Summary:
        return merge(accumulators)

    def extract_output(self, accumulator: Summary) -> Summary:
        return accumulator
