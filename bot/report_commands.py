"""``leadline report``: the same questions as on Discord, answered from the store."""

from __future__ import annotations

import inspect
import json
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

import typer

from bot.errors import UserError
from bot.terminal import Installation, carry_out, fail, instant, one_of

if TYPE_CHECKING:
    from bot.reports.shapes import Option

report_app = typer.Typer(no_args_is_help=True, help="Answer one question from the store, without Discord.")


MOST_READ: Final = 1_000_000
"""Characters of a file handed to a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where a report goes. Without ``--json`` it is words."""

    at: datetime | None
    locale: str
    palette: str
    theme: str
    as_json: bool
    png: Path | None
    csv: Path | None


def add_report_commands() -> None:
    """One subcommand a report, with the report's own options. Not at import: reports take their time to load."""
    from bot.reports import REPORTS

    for report in REPORTS.values():

        def command(ctx: typer.Context, _name: str = report.name, **given: Any) -> None:
            _report(ctx, _name, given)

        def optional(name: str, kind: Any, help_: str, default: Any = None) -> inspect.Parameter:
            option = typer.Option("--" + name.replace("_", "-"), help=help_)
            return inspect.Parameter(
                "as_json" if name == "json" else name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=Annotated[kind, option],
            )

        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # typer reads it
            [
                inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
                *(
                    optional(option.name, bool, option.help + ".", default=False)
                    if option.flag
                    else optional(option.name, str | None, _help(option))
                    for option in report.options
                ),
                optional("at", str | None, "Answer as of this instant (ISO 8601); default now."),
                optional("locale", str, "en or zh-TW.", "en"),
                optional(
                    "palette", str, "intl (green up), tw (red up) or cb (blue up, orange down).", "intl"
                ),
                optional("theme", str, "dark or light.", "dark"),
                optional("json", bool, "Print one JSON object.", default=False),
                optional("text", bool, "Print the words (the default).", default=False),
                optional("png", Path | None, "Save the picture here."),
                optional("csv", Path | None, "Save the numbers behind the picture here."),
            ]
        )
        command.__doc__ = (
            f"{report.about}.\n\nAnswers from the store in words; --json, --png and --csv give the same answer "
            "as data and as a picture."
        )
        report_app.command(report.name)(command)


def _help(option: Option) -> str:
    """What an option means and, where there are few, all it takes."""
    return f"{option.help}. One of: {', '.join(option.choices)}." if option.choices else f"{option.help}."


def _report(ctx: typer.Context, name: str, given: dict[str, Any]) -> None:
    from analysis.charts.look import Palette, Theme
    from bot.language import LOCALES, catalogue
    from bot.reports import REPORTS

    report = REPORTS[name]
    one_of("--locale", given["locale"], LOCALES)
    locale = given["locale"]
    _ = catalogue(locale).gettext
    one_of("--palette", given["palette"], get_args(Palette), locale=locale)
    one_of("--theme", given["theme"], get_args(Theme), locale=locale)
    if given["as_json"] and given["text"]:
        fail(_("Give either --json or --text, not both."), status=2)
    output = Output(
        at=None if given["at"] is None else instant(given["at"], locale=locale),
        **{key: given[key] for key in ("locale", "palette", "theme", "as_json", "png", "csv")},
    )
    words = {
        option.name: "yes"
        if option.flag
        else _read_file(given[option.name], locale)
        if option.file
        else given[option.name]
        for option in report.options
        if given[option.name] not in {None, False}
    }
    now = datetime.now(UTC)
    if output.at is not None and output.at > now:
        fail(_("The instant asked about lies in the future."))
    at = output.at or now
    try:
        query = report.read(words, at)
    except UserError as error:
        fail(error.in_words(_), status=2)
    printed = carry_out(_answer(ctx.obj, name, query, at, output), locale=output.locale)
    typer.echo(printed)


async def _answer(home: Installation, name: str, query: Any, at: datetime, output: Output) -> str:
    from bot import table
    from bot.language import Speech, catalogue
    from bot.reports import REPORTS
    from bot.reports.shapes import Asked
    from bot.running import reading_store

    report = REPORTS[name]
    async with reading_store(home.settings.database_url, or_sample=not home.store_was_named) as (
        store,
        is_sample,
    ):
        if is_sample:
            typer.echo(
                "source: sample (the store holds no market data yet; this is the shipped sample to 2026-02-06)",
                err=True,
            )
        result = await report.answer(query, Asked(store=store, at=at))
    if output.png is not None:
        from importlib import import_module

        from analysis.charts.look import Look

        look = Look(locale=output.locale, theme=output.theme, palette=output.palette, zone="UTC")  # type: ignore[arg-type] # checked in _report
        drawn = import_module(f"analysis.charts.{report.chart}").draw(
            result, look, catalogue(output.locale).gettext
        )
        _save(output.png, drawn.png)
    if output.csv is not None:
        _save(output.csv, table.csv_bytes(report.as_table(result)))
    if output.as_json:
        return json.dumps(report.as_json(result, at), ensure_ascii=False, indent=2, allow_nan=False)
    reply = report.say(result, Speech(output.locale, zoneinfo.ZoneInfo("UTC")), at)
    parts = [*reply.lines, "", *reply.details, "", reply.data_line]
    return "\n".join(_plain(part) for part in parts)


def _plain(text: str) -> str:
    """Without the marks of Discord's Markdown."""
    return text.removeprefix("-# ").replace("**", "").replace("```\n", "").replace("\n```", "")


def _read_file(path: str, locale: str) -> str:
    from bot.language import catalogue

    try:
        # A file too long to be one is not read to its end.
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            return file.read(MOST_READ)
    except (OSError, UnicodeDecodeError):
        told = catalogue(locale).gettext("{path} cannot be read as a text file.")
        fail(told.format(path=path), status=2)


def _save(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(
            "{path} cannot be written: {reason}.", path=str(path), reason=error.strerror
        ) from error
