"""The command line and composition root: settings -> logs -> migrate -> store -> Discord.

Exit status: 0 done, 1 cannot be answered or done (one sentence on standard error),
2 wrong usage. Heavy imports stand inside the commands, because worker processes
import this module again and ``--help`` should not load pandas.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import zoneinfo
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
report_app = typer.Typer(no_args_is_help=True, help="Answer one question from the store, without Discord.")
import_app = typer.Typer(no_args_is_help=True, help="Load CSV files into the store (layouts: docs/csv.md).")
db_app = typer.Typer(no_args_is_help=True, help="Look after the store.")
app.add_typer(report_app, name="report")
app.add_typer(import_app, name="import")
app.add_typer(db_app, name="db")


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation: its settings, and whether its store was named rather than defaulted to."""

    settings: Settings
    store_was_named: bool


def main() -> None:
    """Runs the command line; what ``leadline`` and ``python -m bot`` start."""
    # Every machine must agree on when a zone changes its clocks: the pinned tzdata
    # package decides, not whatever the operating system happens to carry.
    zoneinfo.reset_tzpath(())
    try:
        _add_report_commands()
        app()
    except KeyboardInterrupt:  # while importing: a command that runs has its own end
        raise SystemExit(128 + signal.SIGINT) from None


def _show_version(value: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if value:
        typer.echo(f"leadline {version('leadline')}")
        raise typer.Exit


@app.callback()
def installation(
    ctx: typer.Context,
    database_url: Annotated[
        str | None,
        typer.Option("--database-url", help="A path or an SQLAlchemy address; default var/leadline.db."),
    ] = None,
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Leadline: how far down is the next floor, who is being forced to sell, stress or rotation."""
    from pydantic import ValidationError

    from bot.settings import DEFAULT_DATABASE_URL, Settings

    try:
        settings = Settings() if database_url is None else Settings(database_url=database_url)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(item["loc"][0]).upper() for item in error.errors()}))
        _fail(f"These settings cannot be used: {wrong}. See .env.example.", status=2)
    named = database_url is not None or settings.database_url != DEFAULT_DATABASE_URL
    ctx.obj = Installation(settings, named)


def _fail(sentence: str, *, status: int = 1) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)


def _carry_out(work: Coroutine[Any, Any, T], *, locale: str = "en") -> T:
    """Runs ``work``; a UserError becomes one sentence and exit status 1."""
    from bot.language import catalogue

    try:
        return asyncio.run(work)
    except UserError as error:
        _fail(catalogue(locale).gettext(error.msgid).format(**error.values))


# --- running -----------------------------------------------------------------


@app.command()
def run(ctx: typer.Context) -> None:
    """Connect to Discord; without DISCORD_TOKEN, open the preview page instead."""
    from bot import running

    settings = ctx.obj.settings
    if settings.discord_token is None:
        typer.echo("No DISCORD_TOKEN in .env: showing the preview instead of connecting to Discord.")
        preview(ctx)
        return
    _carry_out(running.discord(settings))


@app.command()
def preview(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port on this machine; 0 takes a free one.")] = None,
    at: Annotated[str | None, typer.Option(help="Start the bot's clock at this instant (ISO 8601).")] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Use the real store and the real clock.")] = False,
) -> None:
    """The same bot in a local page, without a token."""
    from bot import running

    settings = ctx.obj.settings
    if at is not None and live:
        _fail("Give either --at or --live, not both.", status=2)
    start = None if at is None else _instant(at)
    chosen = settings.port if port is None else port
    _carry_out(running.preview(settings, port=chosen, at=start, live=live))


# --- report ------------------------------------------------------------------


def _instant(text: str) -> datetime:
    """An ISO 8601 instant; a date alone is its midnight, no zone means UTC."""
    try:
        when = datetime.fromisoformat(text)
        # Overflows where the zone takes it out of the years 1 to 9999.
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        _fail(f"“{text[:40]}” is not an instant: write it like 2026-02-05T18:00:00Z.", status=2)


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


def _add_report_commands() -> None:
    """One subcommand a report, with the report's own options; not at import, see above."""
    import inspect

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
                    optional(option.name, bool, option.help, default=False)
                    if option.flag
                    else optional(option.name, str | None, option.help)
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
        command.__doc__ = f"The {report.name} report."
        report_app.command(report.name)(command)


def _report(ctx: typer.Context, name: str, given: dict[str, Any]) -> None:
    from bot.language import LOCALES, catalogue
    from bot.reports import REPORTS

    report = REPORTS[name]
    _one_of("--locale", given["locale"], LOCALES)
    _one_of("--palette", given["palette"], ("intl", "tw", "cb"))
    _one_of("--theme", given["theme"], ("dark", "light"))
    if given["as_json"] and given["text"]:
        _fail("Give either --json or --text, not both.", status=2)
    output = Output(
        at=None if given["at"] is None else _instant(given["at"]),
        **{key: given[key] for key in ("locale", "palette", "theme", "as_json", "png", "csv")},
    )
    words = {
        option.name: "yes" if option.flag else given[option.name]
        for option in report.options
        if given[option.name] not in {None, False}
    }
    now = datetime.now(UTC)
    _ = catalogue(output.locale).gettext
    if output.at is not None and output.at > now:
        _fail(_("The instant asked about lies in the future."))
    at = output.at or now
    try:
        query = report.read(words, at)
    except UserError as error:
        _fail(_(error.msgid).format(**error.values), status=2)
    printed = _carry_out(_answer(ctx.obj, name, query, at, output), locale=output.locale)
    typer.echo(printed)


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        _fail(f"{option} takes one of {', '.join(choices)}.", status=2)


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


def _save(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(
            "{path} cannot be written: {reason}.", path=str(path), reason=error.strerror
        ) from error


# --- the store ---------------------------------------------------------------


@app.command("sample")
def load_sample(ctx: typer.Context) -> None:
    """Load the shipped sample (to 6 February 2026) into the store."""
    from bot import running

    async def work() -> None:
        from storage import sample

        async with running.writing_store(ctx.obj.settings.database_url) as store:
            await sample.load(store)

    _carry_out(work())
    typer.echo("The sample is in the store.")


_Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV files.")]


def _import(ctx: typer.Context, kind: str, files: list[Path], **options: Any) -> None:
    """Imports each file whole or not at all, in the order given."""
    from importlib import import_module

    from rich.console import Console
    from rich.progress import Progress

    from bot import running

    importer = import_module(f"storage.importers.{kind}")

    async def work() -> list[Any]:
        now = datetime.now(UTC)
        async with running.writing_store(ctx.obj.settings.database_url) as store:
            with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
                listed = progress.track(files, description=f"importing {kind}")
                return [await importer.load(store, path, now=now, **options) for path in listed]

    for path, told in zip(files, _carry_out(work()), strict=True):
        typer.echo(f"{path}: {told.added} added, {told.unchanged} unchanged, {told.revised} revised")


@import_app.command("bars")
def import_bars(
    ctx: typer.Context,
    files: _Files,
    instrument: Annotated[str, typer.Option(help="BTC, ETH, SI, GC, CL, ES, NQ or DXY.")],
    interval: Annotated[str, typer.Option(help="30m, 1h or 1d.")],
    source: Annotated[str | None, typer.Option(help="Who published the prices.")] = None,
) -> None:
    """Bars of one instrument."""
    from analysis.levels import Interval

    _one_of("--interval", interval, tuple(choice.value for choice in Interval))
    _import(ctx, "bars", files, instrument=instrument.upper(), interval=Interval(interval), source=source)


@import_app.command("flows")
def import_flows(
    ctx: typer.Context,
    files: _Files,
    asset: Annotated[str, typer.Option(help="BTC or ETH.")],
    source: Annotated[
        str | None, typer.Option(help="Who published the figures; default: as stored last.")
    ] = None,
) -> None:
    """Daily ETF flows per fund."""
    _import(ctx, "flows", files, asset=asset.upper(), source=source)


@import_app.command("margins")
def import_margins(ctx: typer.Context, files: _Files) -> None:
    """CME margin changes."""
    _import(ctx, "margins", files)


@import_app.command("macro")
def import_macro(ctx: typer.Context, files: _Files) -> None:
    """FRED series."""
    _import(ctx, "macro", files)


@db_app.command("upgrade")
def db_upgrade(ctx: typer.Context) -> None:
    """Bring the store to this version's schema; a copy of an older one is kept."""
    from bot import running

    copied = _carry_out(running.upgrade(ctx.obj.settings.database_url))
    typer.echo("The store is up to date." + (f" The older one was kept as {copied}." if copied else ""))


@db_app.command("check")
def db_check(ctx: typer.Context) -> None:
    """Check the whole store: integrity, tables, schema. Exit status 1 if something is wrong."""
    from storage import migrate

    found = _carry_out(migrate.check(ctx.obj.settings.database_url))
    typer.echo(f"state: {found.state}, schema {found.revision} (this version: {found.expected_revision})")
    typer.echo(f"SQLite {found.sqlite_version}, journal {found.journal_mode}")
    for words in found.damage:
        typer.echo(f"damaged: {words}")
    if found.missing:
        typer.echo("missing tables: " + ", ".join(found.missing))
    if found.orphans:
        typer.echo(f"rows without their parent: {found.orphans}")
    if found.state == "unreadable":
        _fail(
            "The store cannot be opened for reading. If a program was killed while it wrote, "
            "leadline db upgrade undoes what it left half written; otherwise restore a backup."
        )
    if not found.ok:
        _fail("The store needs attention: restore a backup, or run leadline db upgrade if it is older.")
    typer.echo("The store is whole.")


@db_app.command("backup")
def db_backup(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write a checked copy of the store, also beside a running bot."""
    from storage import backup

    _carry_out(backup.make(ctx.obj.settings.database_url, file))
    typer.echo(f"Backed up to {file}.")
