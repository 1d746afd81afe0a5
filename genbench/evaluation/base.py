"""The contract of a metric, and what nearly every metric needs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from genbench.configured import Configured
from genbench.errors import NotApplicable
from genbench.evaluation.evidence import Evidence, count_name

__all__ = ["Evidence", "Metric", "NotApplicable", "count_name"]


class Metric(Configured, ABC):
    """A function of the evidence about one trained model.

    Class constants, read without importing:
        values: what it measures: name → {"better": "lower" | "higher" | "target" | "none",
            "unit": …, "title": …}, with no "unit" where there is none. A name may hold options in
            braces: "nll_iw_k{k}". With "target" the best value is that of "target", "0.989 from
            below" or "real from above": a number or the real row's, and the side on which worse
            values lie. "tolerance" is how much worse the regression gate lets it become, in the
            unit ("0.02"), as a multiple of the data's dimension ("0.02 per dimension"), or with
            the features of one extractor ("0.001 with inception"); else 2 % of the mean, which
            fits every scale. `swd_floor` is the floor of `swd` (see `floors`).
        kinds: the kinds of data that it applies to.
        needs: what it needs of the model or dataset: capabilities (keys of
            `lookup.CAPABILITIES`), or "modes", "truth", "labels", "critic".
        sampled: whether it depends on the sample set; it is then measured on each of them, its
            value is their mean and its sampling spread their standard deviation.
        rows_needed: the option that says how many test rows it cannot do without, if any.
        expensive: what makes it slow, as `--dry-run` says: pairs of {option: value} and a text
            with options in braces. A pair applies where every number is reached (and every text
            is equal); "samples", "sets", "data" (its kind) and "labelled" may be named as well.
        version: raised whenever the numbers change meaning.
        formerly, aliases: as of a `Model`.
        cite: keys of references.bib, or BibTeX entries.
    """

    component_kind: ClassVar[str] = "metric"
    values: ClassVar[dict[str, dict[str, str]]]
    kinds: ClassVar[tuple[str, ...]] = ("points", "images")
    needs: ClassVar[tuple[str, ...]] = ()
    sampled: ClassVar[bool] = False
    rows_needed: ClassVar[str] = ""
    expensive: ClassVar[tuple[tuple[dict[str, object], str], ...]] = ()
    version: ClassVar[int] = 1
    formerly: ClassVar[Mapping[str, object]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    cite: ClassVar[str] = ""

    def __init__(self, **options: object) -> None:
        self.configure(options)

    @abstractmethod
    def measure(
        self, evidence: Evidence, sample_set: int = 0
    ) -> Mapping[str, float | NotApplicable]:
        """The values, by name (options filled in); of some, perhaps, why there is none.

        Raises:
            NotApplicable: it has no meaning here; the text is the reason shown.
            NotFinite: NaN or infinity where numbers should be; counted, never dropped.
        """

    def floors(self, evidence: Evidence) -> Sequence[Mapping[str, float | NotApplicable]]:
        """The values named `…_floor`: what true sets get in the place of samples, set by set.

        Their mean and spread are stored. They depend on the data and the protocol alone.

        Raises:
            NotApplicable: there are no true sets.
        """
        return ()

    def protocol(self, evidence: Evidence) -> str:
        """What the numbers depend on besides the model, e.g. `classifier-10k-test`.

        The version and, for extractors, the hash of the weights are added by the harness.
        """
        return ""
