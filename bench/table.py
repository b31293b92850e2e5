"""Rows of figures, and how they are printed. A ratio above 1 means that Posthouse is ahead."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line: our figure, the peer's, the unit; ``lower_is_better`` for times and sizes."""

    name: str
    ours: float
    peer: float | None
    unit: str
    floor: float | None = None
    goal: float | None = None
    lower_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How far ahead we are: 2.0 is twice as good."""
        if not self.peer or not self.ours:
            return None
        return self.peer / self.ours if self.lower_is_better else self.ours / self.peer


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def format_table(title: str, rows: list[Row]) -> str:
    """Return a Markdown table."""
    lines = [
        f"### {title}",
        "",
        "| | Posthouse | peer | unit | ratio | floor | goal |",
        "|---|---:|---:|---|---:|---:|---:|",
    ]
    for row in rows:
        ratio = f"{row.ratio:.2f}x" if row.ratio else "-"
        floor, goal = (f"{value:g}x" if value else "" for value in (row.floor, row.goal))
        lines.append(
            f"| {row.name} | {_figure(row.ours)} | {_figure(row.peer)} | {row.unit} | {ratio} | {floor} | {goal} |"
        )
    return "\n".join(lines) + "\n"


def shortfalls(rows: list[Row]) -> list[str]:
    """Return the names of rows under their floor."""
    return [row.name for row in rows if row.floor and row.ratio is not None and row.ratio < row.floor]
