"""The schema of a suite: every key a typed field with a docstring.

What stands for a named part (a model, an objective, a dataset, a metric) has several short forms;
its fields are `Any` here and are read by `rows` and `methods`, against the part's own options.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from genbench.bibliography import entries
from genbench.duration import Duration
from genbench.errors import GenbenchError
from genbench.fields import MOST, Count, Finite, Optimiser, Positive, Share
from genbench.seeding import digest
from genbench.suites.executors import cluster_model
from genbench.suites.expectation import Expectation, parse_expectations, parse_identities
from genbench.suites.looks import Looks
from genbench.suites.tolerance import Tolerance

if TYPE_CHECKING:
    Cluster = BaseModel
else:
    Cluster = cluster_model()

Scale = Literal["auto", "raw", "standard", "unit", "symmetric", "logit"]
Decay = Annotated[float, Field(gt=0, lt=1)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\n\r\t]*$")]
Name = Annotated[Line, Field(min_length=1)]


def _cited(cite: str) -> str:
    try:
        entries(cite)
    except GenbenchError as error:
        why = str(error).removeprefix("cite: ")
        raise ValueError(f"BibTeX entries, or keys of genbench's references ({why})") from None
    return cite


Citation = Annotated[str, AfterValidator(_cited)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )


class Budget(_Part):
    """How long a method trains."""

    updates: Count | None = None
    """Updates of the model over all stages (those of a critic are not counted)."""
    batch: Count | None = None
    """Examples in a batch: 128 where neither the suite nor the method's zoo entry says."""


class StageEntry(_Part):
    """A stretch of training with one sum of objectives."""

    train: Any
    """What is minimised: an objective's name, {objective: weight}, {objective: {weight: …,
    options}}, or a list of those, which is their weighted sum."""
    updates: Count | None = None
    """Updates of this stage."""
    share: Share | None = None
    """The part of the budget that this stage takes. What is left is split evenly among the
    stages that give neither `updates` nor `share`."""


class Entry(_Part):
    """A method: a zoo entry, or a method row of a suite that changes one."""

    use: Name | None = None
    """The zoo's method to start from; without it, the row's name where the zoo has one of it."""
    title: Line = ""
    """How reports call it."""
    family: Line = ""
    """GAN, flow, mixture, VAE, diffusion, hybrid or classical."""
    summary: str = ""
    """One sentence."""
    formula: str = ""
    """What is optimised, in plain Unicode."""
    cite: Citation = ""
    """BibTeX entries, or keys of those that genbench knows."""
    published: bool = False
    """Zoo alone: whether objective, optimiser and batch are those of the publication. Networks are
    as large as the data need. An entry that says no has a `note`."""
    note: str = ""
    """What differs from the publication, and why."""
    model: Any = None
    """A model's name, or {name: …, options}; options without a name change the zoo's model."""
    train: Any = None
    """What is minimised, in one stage, whole: an objective of the zoo's method that is not named
    is left out. Options of one that the zoo's method has too are changes of the zoo's."""
    stages: list[StageEntry] | None = None
    """Several stretches of training, in order; excludes `train`."""
    optimiser: Optimiser | None = None
    """Of every player; keys that are not given are the zoo's."""
    optimisers: dict[str, Optimiser] | None = None
    """Of single players ("critic") or groups of their parameters ("model.weights"); keys that are
    not given are those of `optimiser`."""
    ema: Decay | None = None
    """Decay of the averaged model that is evaluated; null evaluates the last one."""
    scale: Scale | None = None
    """How data are scaled: raw or standard for points, unit, symmetric or logit for images; auto
    leaves it to the model."""
    dequantise: bool | None = None
    """Whether images get uniform noise below one grey level; null leaves it to the model."""
    precision: Literal["fp32", "bf16"] | None = None
    """Number format of training (bf16 by autocast)."""
    compile: bool | None = None
    """Whether networks go through torch.compile."""
    budget: Budget | None = None
    """Changes of the suite's budget."""
    datasets: list[str] | None = None
    """The dataset rows that the method runs on; all of them by default."""


class External(_Part):
    """Samples that were made elsewhere, or a model that was trained elsewhere: a row of the tables
    that is not trained here."""

    samples: Name | Annotated[list[Name], Field(min_length=1)]
    """A folder or zip of images, an array in a `.npy`, `.npz` or `.pt` file, or a trained model
    `my_file.py:Model`, from the suite's folder on; several are the seeds 0, 1, …"""
    dataset: str | None = None
    """The dataset row that they are samples of; null takes the only one."""
    range: Annotated[list[Finite], Field(min_length=2, max_length=2)] = [0.0, 1.0]
    """The values of black and white, where images are floats."""
    title: Line = ""
    """How reports call it."""
    family: Line = ""
    """GAN, flow, mixture, VAE, diffusion, hybrid or classical."""
    summary: str = ""
    """One sentence."""
    cite: Citation = ""
    """BibTeX entries, or keys of those that genbench knows."""


class Protocol(_Part):
    """What all metrics of a suite share."""

    samples: Annotated[int, Field(ge=2, le=MOST)] | None = None
    """Samples for each metric; null means as many as the reference has, at most 10,000."""
    sets: Count = 3
    """Independent sample sets of one model, for the sampling spread."""


class Published(_Part):
    """A number from a publication."""

    value: Finite
    """The number."""
    source: Line = ""
    """Where it stands."""


class Table(_Part):
    """A table of the report: methods × columns."""

    title: Line = ""
    """Its heading."""
    dataset: str | None = None
    """The dataset row that it shows; null makes one table for each dataset."""
    methods: list[str] | None = None
    """The method rows that it shows, in order; all of them by default."""
    columns: list[Name] = []
    """What metrics measure, e.g. nll; `nll[ring]` takes it from the row `ring`. All by default."""
    against: Name | None = None
    """The method row against which others are marked; by default the best of each column."""
    published: dict[str, dict[str, Finite | Published]] = {}
    """Published numbers: method row → column → number, or {value: …, source: …}."""
    variants: dict[Line, Line] = {}
    """Settings shown side by side, heading → what follows a method row's name: with
    {at the paper's settings: "", tuned: "-tuned"}, the line of `flow` shows the numbers of the
    rows `flow` and `flow-tuned`, each under its heading. A variant that a row has not is empty."""


class Margin(_Part):
    """How large a difference may be and count as none: one of these."""

    spread: Positive | None = None
    """In standard deviations over the seeds, pooled over both sides."""
    factor: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None
    """As a ratio of both sides, which are positive: 1.1 for a tenth more or less."""

    @model_validator(mode="after")
    def _one(self) -> Margin:
        if (self.spread is None) == (self.factor is None):
            raise ValueError("`spread` or `factor`, and not both")
        return self


class Claim(_Part):
    """A sentence from a paper, written as a comparison between cells."""

    id: Name
    """A short name."""
    text: Annotated[str, Field(min_length=1)]
    """The sentence."""
    expect: Annotated[str, Field(min_length=1)] | None = None
    """The comparison, e.g. `nll[mixflow] < nll[nice]`; `metric[row, dataset]` names one dataset,
    and the row `real` the data themselves."""
    margin: Positive | Margin | None = None
    """A difference up to which both sides of `expect` are as good as each other, so that it can be
    NO DIFFERENCE: in the metric's own unit, or {spread: 0.5} or {factor: 1.1}."""
    identity: Annotated[str, Field(min_length=1)] | None = None
    """In the place of `expect`: the exact value that every run must have, within a tolerance, e.g.
    `js[apart] = log(2) within 1e-4`."""
    unjudged: str = ""
    """Why the sentence cannot be such a comparison; in the place of `expect`."""

    @property
    def expectation(self) -> str:
        """What is expected, in one line; empty where nothing is judged."""
        margin = self.margin
        if isinstance(margin, Margin):
            size = f"{margin.spread} std" if margin.spread else f"factor {margin.factor}"
            return f"{self.expect}, margin {size}"
        return (self.expect or self.identity or "") + (f", margin {margin}" if margin else "")

    @property
    def parts(self) -> tuple[Expectation, ...]:
        """The comparisons that are judged.

        Raises:
            SuiteError: one does not parse.
        """
        if self.identity is not None:
            return parse_identities(self.identity)
        return parse_expectations(self.expect) if self.expect is not None else ()

    def mark(self, looks: Looks | None) -> str:
        """What a run records of it: a hash of the comparison, and of the looks that test it."""
        when = f", looks {looks}" if looks is not None and self.expect is not None else ""
        return digest(" ".join(self.expectation.split()) + when, 12)


class Target(_Part):
    """A number to reach, held against a cell."""

    cell: Name
    """What is held against it: `metric[row]` or `metric[row, dataset]`."""
    at_most: Finite | None = None
    """The largest value that reaches it."""
    at_least: Finite | None = None
    """The smallest value that reaches it."""
    over: Literal["median", "mean", "worst"] = "median"
    """Which value over the seeds counts."""
    note: str = ""
    """What a reader should know, e.g. what was tried where it is missed."""


class FigureEntry(_Part):
    """A figure of the report, of chosen rows; beside these keys it takes the options of its kind,
    which `genbench list figures` lists."""

    model_config = ConfigDict(extra="allow")

    kind: Name
    """A kind of figure, or one of your own, `my_file.py:MyFigure`."""
    title: Name
    """Its heading, e.g. Figure 5.1; the file is named after it."""
    caption: str = ""
    """A sentence below it, before what the harness says of it."""
    dataset: str | None = None
    """The dataset row; null takes the only one of the suite."""
    methods: list[str] | None = None
    """The method rows, in order; all that apply by default. `real` is the data themselves."""

    @property
    def options(self) -> dict[str, Any]:
        """The options of its kind that are given."""
        return dict(self.model_extra or {})

    @property
    def file(self) -> str:
        """The picture, relative to the report."""
        name = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return f"figures/{name or 'figure'}.png"


class Report(_Part):
    """What the report shows."""

    tables: list[Table] = []
    """Tables; by default one for each dataset with everything that was measured."""
    figures: list[Name | FigureEntry] | None = None
    """Figures: kinds, each drawn for every dataset that it applies to, and figures of chosen rows.
    Where no kind is named, all that are automatic are drawn: samples of images, densities of
    points, training curves; `none` beside figures of chosen rows leaves these alone, and `[]` asks
    for none at all."""
    claims: list[Claim] = []
    """Claims to judge."""
    targets: list[Target] = []
    """Numbers to reach, in a table of their own."""


class Suite(_Part):
    """A suite: methods × datasets × seeds, what to evaluate, report and claim."""

    title: Line = ""
    """The report's heading; the file's name by default."""
    description: str = ""
    """A paragraph below it (Markdown)."""
    datasets: Any
    """Names of datasets, or {row: options}; among the options, `use` names the dataset where it
    is not the row's name, and `budget` changes the suite's budget."""
    seeds: Any = 3
    """How many seeds (0, 1, …), or a list of them."""
    looks: Looks | None = None
    """In the place of `seeds`: after how many seeds claims are tested, e.g. [5, 10, 20, 40]."""
    budget: Budget = Budget()
    """How long methods train."""
    methods: Any = None
    """Names of zoo methods, or {row: entry}."""
    external: dict[str, External] = {}
    """Rows of samples that were made elsewhere."""
    precision: Literal["fp32", "bf16"] | None = None
    """Number format of training where a method says nothing else; fp32 by default."""
    compile: bool | None = None
    """Whether networks go through torch.compile where a method says nothing else (false)."""
    evaluate: Any
    """Metrics: names, or {metric: options}."""
    protocol: Protocol = Protocol()
    """What all metrics share."""
    real: bool = True
    """Whether the report has the row "real: train vs test"."""
    time_limit: Duration | None = None
    """How long one run may take, in minutes or as HH:MM:SS: one that takes longer is stopped and
    recorded as timed-out."""
    cluster: Cluster = Cluster()
    """What every run asks of a cluster; options of `genbench run` go first."""
    report: Report = Report()
    """Tables, figures and claims of the report."""
    tolerances: dict[str, Tolerance] = {}
    """How much worse `genbench check` lets a metric become: {fid: {relative: 0.05}}. By default
    what the metric declares, or 2 % of the mean."""
