"""What a claim expects, read from its text.

    claim       := expectation ("and" expectation)*
    expectation := sum relation sum [("within" | "±") number]
                 | term relation term "on logs"
                 | "std(" cell ")" ("<" | ">") "std(" cell ")"
    relation    := "<" | "<=" | ">" | ">=" | "~="
    sum         := term (("+" | "-") term)*
    term        := number | [number "*"] (cell | "|" cell "|")
    cell        := metric "[" row ["," dataset] "]"
    identity    := sum "=" exact ("within" | "±") number ["and" identity]
    exact       := an expression of numbers (`exact_value`)

`~=` needs a tolerance, the others take none; `std` is the spread over seeds; `|…|` is the
magnitude of each seed's value. `on logs` compares two positive numbers by their ratio: for metrics
whose seeds differ by factors, e.g. one that diverges. The row `real` is the data themselves. A
cell without a dataset stands for every dataset of the suite. Rows may hold brackets themselves, as
those of a grid do: `nll[nice[layers=4], ring]`. Examples:

    nll[mixflow-ml] < nll[flow-ml]
    fid[wgan-gp, mnist] >= 1.5 * fid[real, mnist] + 2
    modes_covered[gan] ~= 6 within 0.5
    std(nll[mixflow-ml]) < std(nll[flow-ml])
    nll_gap[flow-gan] > 10 * nll_gap[flow-gan-ml] on logs
    js[lines, line] = log(2) within 1e-4

This stands beside the schema, and not with the statistics that judge it, because a suite is
checked when it is loaded and imports point down.
"""

import math
import re
from dataclasses import dataclass, replace

from genbench.errors import SuiteError
from genbench.suites.exact_value import EXACT, exact_value

CellName = tuple[str, str, str | None]
"""Metric, row, and dataset or None for every dataset."""

_Terms = list[tuple[float, CellName | None]]
_EXAMPLE = "nll[mixflow-ml] < nll[flow-ml]"
_IDENTITY = "js[apart, line] = log(2) within 1e-4"
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_METRIC = re.compile(r"[A-Za-z_][A-Za-z0-9_@./{}=-]*")
_RELATION = re.compile(r"<=|>=|~=|<|>")
_AND = re.compile(r"\s+and\s+")
_STD = re.compile(r"std\s*\(")
_ON_LOGS = re.compile(r"on\s+logs\b")
_EXACT = re.compile(r"=(?P<value>[^=]*?)(?:\bwithin\b|±)")


@dataclass(frozen=True)
class Expectation:
    """A comparison Σ coefficient · cell + constant `relation` 0, the left side less the right."""

    text: str
    relation: str
    terms: tuple[tuple[float, CellName], ...]
    constant: float
    tolerance: float | None = None
    spread: bool = False
    """Whether the standard deviations over seeds are compared, of the first and second cell."""
    logs: bool = False
    """Whether the cells' logarithms are compared (`constant` is one of logarithms too)."""
    magnitudes: frozenset[CellName] = frozenset()
    """The cells whose magnitudes are compared."""

    @property
    def on_logs(self) -> "Expectation | None":
        """Of two positive quantities, one of them perhaps a number, the comparison of logarithms.

        None where it is of more, or of a sum.
        """
        if self.logs:
            return self
        factors = [factor for factor, _ in self.terms] + [self.constant] * bool(self.constant)
        if self.spread or sorted(math.copysign(1, factor) for factor in factors) != [-1, 1]:
            return None
        terms = tuple((math.copysign(1, factor), cell) for factor, cell in self.terms)
        constant = sum(math.copysign(1, factor) * math.log(abs(factor)) for factor in factors)
        return replace(self, terms=terms, constant=constant, logs=True)

    @property
    def cells(self) -> list[CellName]:
        """The (metric, row, dataset or None) that it names, each once, in order."""
        return [cell for _, cell in self.terms]


def parse_expectations(text: str) -> tuple[Expectation, ...]:
    """Read what a claim expects, one comparison or several joined by `and`.

    Raises:
        SuiteError: as `parse_expectation`.
    """
    return tuple(map(parse_expectation, _joined(text)))


def parse_identities(text: str) -> tuple[Expectation, ...]:
    """Read the exact values of an identity, one or several joined by `and`; their relation is `=`.

    Raises:
        SuiteError: it does not parse, names no cell, or its exact value is none.
    """
    return tuple(_Reader(part).identity() for part in _joined(text))


def _joined(text: str) -> list[str]:
    """What stands between the `and`s of a text."""
    parts: list[str] = []
    for part in _AND.split(text):
        if parts and parts[-1].count("[") > parts[-1].count("]"):  # within the name of a row
            parts[-1] += f" and {part}"
        else:
            parts.append(part)
    return parts


def parse_cell(text: str) -> CellName:
    """Read one cell, `metric[row]` or `metric[row, dataset]`.

    Raises:
        SuiteError: it is none; without file and line.
    """
    reader = _Reader(text)
    cell = reader.cell()
    if reader.peek():
        raise reader.error("the end")
    return cell


def parse_expectation(text: str) -> Expectation:
    """Read a single comparison.

    Raises:
        SuiteError: it does not parse, names no cell, or compares a cell with itself.
    """
    return _Reader(text).expectation()


class _Reader:
    """A recursive-descent reader of one line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.magnitudes, self.plain = set[CellName](), set[CellName]()

    def expectation(self) -> Expectation:
        if self.take(_STD):
            return self.spreads()
        left, low = self.sum()
        relation = self.take(_RELATION)
        if relation is None:
            raise self.error("one of < <= > >= ~=")
        right, high = self.sum()
        if self.take(_ON_LOGS):
            return self.ratio(relation, left, low, right, high)
        tolerance = self.tolerance(relation)
        if self.peek():
            raise self.error("the end")
        return self.compared(relation, left, low, right, high, tolerance)

    def identity(self) -> Expectation:
        """`sum = exact within tolerance`."""
        left, low = self.sum()
        self.peek()
        exact = _EXACT.match(self.text, self.at)
        if exact is None:
            raise self.error("'= VALUE within TOLERANCE'", _IDENTITY)
        self.at = exact.end()
        tolerance = self.number()
        if tolerance is None or self.peek():
            raise self.error("a tolerance (a number)", _IDENTITY)
        value = exact_value(exact["value"])
        if value is None:
            raise SuiteError(f"'{self.text}': expected {EXACT}, got '{exact['value'].strip()}'")
        return self.compared("=", left, low, [], value, tolerance)

    def compared(
        self, relation: str, left: _Terms, low: float, right: _Terms, high: float,
        tolerance: float | None,
    ) -> Expectation:
        """Both sides on one."""
        coefficients: dict[CellName, float] = {}
        for sign, side in ((1.0, left), (-1.0, right)):
            for factor, cell in side:
                assert cell is not None
                coefficients[cell] = coefficients.get(cell, 0.0) + sign * factor
        if not coefficients:
            raise SuiteError(f"'{self.text}' names no cell; write for example '{_EXAMPLE}'")
        if not all(coefficients.values()):
            raise SuiteError(f"'{self.text}': a cell cancels out, or is multiplied by 0")
        terms = tuple((factor, cell) for cell, factor in coefficients.items())
        return Expectation(
            self.text.strip(), relation, terms, low - high, tolerance,
            magnitudes=frozenset(self.magnitudes),
        )

    def ratio(
        self, relation: str, left: _Terms, low: float, right: _Terms, high: float
    ) -> Expectation:
        """`term relation term on logs`, behind its last word."""
        sides = (left + [(low, None)] * bool(low), right + [(high, None)] * bool(high))
        if self.peek():
            raise self.error("the end")
        if relation == "~=" or [len(side) for side in sides] != [1, 1]:
            raise SuiteError(f"'{self.text}': 'on logs' takes one term a side, and < <= > or >=")
        (first, one), (second, other) = sides[0][0], sides[1][0]
        if first <= 0 or second <= 0:
            raise SuiteError(f"'{self.text}': a factor that is not positive has no logarithm")
        named = [(sign, cell) for sign, cell in ((1.0, one), (-1.0, other)) if cell is not None]
        if not named or one == other:
            raise SuiteError(f"'{self.text}': 'on logs' compares a cell with another or a number")
        return Expectation(
            self.text.strip(), relation, tuple(named), math.log(first) - math.log(second),
            logs=True, magnitudes=frozenset(self.magnitudes),
        )

    def spreads(self) -> Expectation:
        """`std(cell) < std(cell)`, behind its first bracket."""
        first = self.cell()
        self.expect(")")
        relation = self.take(_RELATION)
        if relation not in ("<", ">"):
            raise self.error("< or > between two spreads")
        if self.take(_STD) is None:
            raise self.error("std(metric[row]), since a spread is compared with a spread")
        second = self.cell()
        self.expect(")")
        if self.peek():
            raise self.error("the end")
        if first == second:
            raise SuiteError(f"'{self.text}': a spread compared with itself")
        terms = ((1.0, first), (-1.0, second))
        return Expectation(self.text.strip(), relation, terms, 0.0, spread=True)

    def expect(self, symbol: str) -> None:
        if not self.symbol(symbol):
            raise self.error(f"'{symbol}'")

    def sum(self) -> tuple[_Terms, float]:
        """The terms with a cell, and the sum of the numbers."""
        terms: _Terms = []
        constant = 0.0
        sign = -1.0 if self.symbol("-") else 1.0
        while True:
            factor, cell = self.term()
            if cell is None:
                constant += sign * factor
            else:
                terms.append((sign * factor, cell))
            if self.symbol("+"):
                sign = 1.0
            elif self.symbol("-"):
                sign = -1.0
            else:
                return terms, constant

    def term(self) -> tuple[float, CellName | None]:
        number = self.number()
        if number is None:
            return 1.0, self.quantity()
        return number, self.quantity() if self.symbol("*") else None

    def quantity(self) -> CellName:
        """A cell, or the magnitude of one."""
        bars = self.symbol("|")
        cell = self.cell()
        if bars:
            self.expect("|")
        (self.magnitudes if bars else self.plain).add(cell)
        if self.plain & self.magnitudes:
            raise SuiteError(f"'{self.text}': {cell[0]}[{cell[1]}] stands with bars and without")
        return cell

    def number(self) -> float | None:
        digits = self.take(_NUMBER)
        if digits is not None and math.isinf(float(digits)):
            raise SuiteError(f"'{self.text}': {digits} is too large for a number")
        return None if digits is None else float(digits)

    def cell(self) -> CellName:
        metric = self.take(_METRIC)
        if metric is None:
            raise self.error("a number or metric[row]")
        if not self.symbol("["):
            raise self.error(f"'[' and a row after '{metric}'")
        parts = self.parts()
        if len(parts) > 2 or not all(parts):
            raise SuiteError(
                f"'{self.text}': {metric}[…] takes a row, or a row and a dataset, "
                f"not '{', '.join(parts)}'"
            )
        return metric, parts[0], parts[1] if len(parts) == 2 else None

    def parts(self) -> list[str]:
        """What stands up to the bracket that closes, split at its own commas."""
        start, depth, parts = self.at, 0, []
        for place in range(self.at, len(self.text)):
            letter = self.text[place]
            if letter == "[":
                depth += 1
            elif letter == "]" and depth:
                depth -= 1
            elif depth == 0 and letter in ",]":
                parts.append(self.text[start:place].strip())
                start = place + 1
                if letter == "]":
                    self.at = start
                    return parts
        raise SuiteError(f"'{self.text}': a '[' is not closed")

    def tolerance(self, relation: str) -> float | None:
        given = any(self.symbol(word) for word in ("within", "±"))
        if given != (relation == "~="):
            raise SuiteError(
                f"'{self.text}': '~=' needs a tolerance, as in 'modes[gan] ~= 6 within 0.5'"
                if relation == "~=" else
                f"'{self.text}': a tolerance goes with '~=', not with '{relation}'"
            )
        if not given:
            return None
        number = self.number()
        if number is None:
            raise self.error("a tolerance (a number)")
        return number

    def peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at:]

    def symbol(self, symbol: str) -> bool:
        found = self.peek().startswith(symbol)
        self.at += len(symbol) if found else 0
        return found

    def take(self, pattern: re.Pattern[str]) -> str | None:
        self.peek()
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match and match.group()

    def error(self, expected: str, example: str = _EXAMPLE) -> SuiteError:
        got = f"'{self.peek()}'" if self.peek() else "the end"
        return SuiteError(
            f"'{self.text}', column {self.at + 1}: expected {expected}, got {got}; "
            f"write for example '{example}'"
        )
