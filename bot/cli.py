"""The command line and composition root: settings -> logs -> migrate -> store -> Discord.

Exit status: 0 done, 1 cannot be answered or done (one sentence on standard error),
2 wrong usage, 75 to be started again only after hours, 78 not before somebody has
changed something; 128 and the signal's number after a hurried end. Heavy imports stand inside the commands, because worker processes
import this module again and ``--help`` should not load pandas.
"""

from __future__ import annotations

import os
import signal
import sys
import zoneinfo
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import drawing
from bot.report_commands import add_report_commands, report_app
from bot.terminal import Installation, carry_out, fail, instant, one_of

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from bot.replay_events import Event

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
import_app = typer.Typer(no_args_is_help=True, help="Load CSV files into the store (layouts: docs/csv.md).")
db_app = typer.Typer(no_args_is_help=True, help="Look after the store.")
app.add_typer(report_app, name="report")
app.add_typer(import_app, name="import")
app.add_typer(db_app, name="db")


def main() -> None:
    """Runs the command line; what ``leadline`` and ``python -m bot`` start."""
    # Every machine must agree on when a zone changes its clocks: the pinned tzdata
    # package decides, not whatever the operating system happens to carry.
    zoneinfo.reset_tzpath(())
    try:
        if "report" in sys.argv:  # what else is asked need not wait for the reports to load
            add_report_commands()
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

    # systemd and containers hand secrets over as files, which no other process can read in our environment.
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    given: dict[str, Any] = {"_secrets_dir": folder} if folder and Path(folder).is_dir() else {}
    if database_url is not None:
        given["database_url"] = database_url
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(item["loc"][0]).upper() for item in error.errors()}))
        fail(f"These settings cannot be used: {wrong}. See .env.example.", status=2)
    named = database_url is not None or settings.database_url != DEFAULT_DATABASE_URL
    ctx.obj = Installation(settings, named)


# --- running -----------------------------------------------------------------


@app.command()
def run(ctx: typer.Context) -> None:
    """Connect to Discord; without DISCORD_TOKEN, open the preview page instead."""
    settings = ctx.obj.settings
    if settings.discord_token is None:
        typer.echo("No DISCORD_TOKEN in .env: showing the preview instead of connecting to Discord.")
        preview(ctx)
        return
    drawing.load_ahead(drawing.Room())
    from bot import running

    carry_out(running.discord(settings))


@app.command()
def preview(
    ctx: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Start the bot's clock at this instant (ISO 8601).")] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=1, max=3600, help="How many times as fast as yours that clock goes; default 1."),
    ] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Use the real store and the real clock.")] = False,
) -> None:
    """The same bot in a local page, without a token."""
    settings = ctx.obj.settings
    if at is not None and live:
        fail("Give either --at or --live, not both.", status=2)
    if speed is not None and live:
        fail("Give either --speed or --live, not both.", status=2)
    start = None if at is None else instant(at)
    drawing.load_ahead(drawing.Room())
    from bot import running

    chosen = settings.port if port is None else port
    carry_out(running.preview(settings, port=chosen, at=start, live=live, speed=speed or 1.0))


@app.command()
def replay(
    ctx: typer.Context,
    start: Annotated[str, typer.Option("--from", help="The first instant (ISO 8601).")],
    end: Annotated[str, typer.Option("--to", help="The last instant (ISO 8601).")],
    *,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")] = False,
) -> None:
    """What happened between two instants: levels, flows, margins, the verdict, digests and alerts, as the preview plays them."""
    import json

    from bot import running

    first, last = instant(start), instant(end)
    if first >= last:
        fail("--from must lie before --to.", status=2)
    if last > datetime.now(UTC):
        # Played to its end, the far future would be a digest a day for as long as it takes.
        fail("--to lies in the future.", status=2)

    def told(event: Event) -> None:
        typer.echo(json.dumps(event.as_json(), ensure_ascii=False) if jsonl else event.as_words())

    carry_out(running.replay(ctx.obj.settings, first, last, told))


# --- on Discord --------------------------------------------------------------


@app.command()
def invite(
    ctx: typer.Context,
    application_id: Annotated[
        int | None,
        typer.Option(
            "--application-id", min=1, help="The application's number; default: read from the token."
        ),
    ] = None,
) -> None:
    """Print the address at which the bot is let into a server."""
    from bot import errands

    typer.echo(carry_out(errands.invitation(ctx.obj.settings, application_id)))


@app.command()
def sync(
    ctx: typer.Context,
    guild: Annotated[
        int | None, typer.Option("--guild", min=1, help="The number of one server; default: all servers.")
    ] = None,
    *,
    clear: Annotated[
        bool,
        typer.Option("--clear", help="Take the commands away: everywhere, and from the server of --guild."),
    ] = False,
) -> None:
    """Tell Discord about the commands now; a start does it by itself when they changed."""
    from bot import errands, logs

    settings = ctx.obj.settings
    # What is told at the end is enough, unless more was asked for.
    logs.configure("WARNING" if settings.log_level == "INFO" else settings.log_level)
    told = carry_out(errands.sync(settings, guild_id=guild, clear=clear))
    for server_id, count in told.items():
        where = "all servers" if server_id is None else f"server {server_id}"
        typer.echo(f"Commands for {where}: {count}.")


@app.command()
def doctor(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    health: Annotated[
        bool, typer.Option("--health", help="Only whether a bot runs and is well; quick, for health checks.")
    ] = False,
) -> None:
    """Look the installation over, with a remedy beside what is wrong. Exit status 1 if you must act."""
    import asyncio
    import json
    from dataclasses import asdict

    from bot import doctor, logs

    settings = ctx.obj.settings
    token = settings.discord_token
    logs.configure("CRITICAL", secrets=(token.get_secret_value(),) if token else ())
    home = doctor.Home(settings=settings, now=datetime.now(UTC))
    findings = [doctor.healthy(home)] if health else asyncio.run(doctor.examine(home))
    must_act = any(finding.verdict is doctor.Verdict.ACT for finding in findings)
    if as_json:
        told = {"ok": not must_act, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            typer.echo(f"{finding.verdict:<5} {finding.name}: {finding.says}")
            if finding.remedy:
                typer.echo(f"      -> {finding.remedy}")
    raise typer.Exit(1 if must_act else 0)


# --- the store ---------------------------------------------------------------


@app.command("sample")
def load_sample(ctx: typer.Context) -> None:
    """Load the shipped sample (to 6 February 2026) into the store."""
    from bot import running

    async def work() -> None:
        from storage import sample

        async with running.writing_store(ctx.obj.settings.database_url) as store:
            await sample.load(store)

    carry_out(work())
    typer.echo("The sample is in the store.")


@app.command()
def fetch(
    ctx: typer.Context,
    series: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERIES]...", help="Such as kraken:BTC:30m, kraken or BTC:flows; default all."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="How far back (a date), where the source reaches.")
    ] = None,
) -> None:
    """Fetch what is missing from the public sources; safe to interrupt and to repeat."""
    from rich.console import Console
    from rich.progress import Progress

    from bot import running

    start = None if since is None else instant(since)
    if start is not None and start > datetime.now(UTC):
        fail("--since lies in the future.", status=2)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
        tasks: dict[str, TaskID] = {}

        def told(name: str, share: float) -> None:
            if name not in tasks:
                tasks[name] = shown.add_task(name, total=1.0)
            shown.update(tasks[name], completed=share)

        done = carry_out(running.fetch(ctx.obj.settings, series or [], since=start, told=told))
    for one in done:
        typer.echo(f"{one.name}: {one.added} added, {one.unchanged} unchanged, {one.revised} revised")
        if one.reason is not None:
            typer.echo(f"{one.name}: {one.reason}", err=True)
    if failed := [one for one in done if one.reason is not None]:
        fail(f"{len(failed)} of {len(done)} series could not be fetched to the end; run it again later.")


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
            with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
                done = []
                for path in files:
                    task = shown.add_task(path.name, total=None)
                    told = partial(_read_so_far, shown, task)
                    done.append(await importer.load(store, path, now=now, progress=told, **options))
                    shown.update(task, total=1, completed=1)
                return done

    for path, told in zip(files, carry_out(work()), strict=True):
        skipped = f", {told.skipped} skipped" if told.skipped else ""
        typer.echo(f"{path}: {told.added} added, {told.unchanged} unchanged, {told.revised} revised{skipped}")


def _read_so_far(shown: Progress, task: TaskID, read: int, size: int) -> None:
    """Bytes, told now and then from the thread that reads."""
    shown.update(task, completed=read, total=size)


@import_app.command("bars")
def import_bars(
    ctx: typer.Context,
    files: _Files,
    instrument: Annotated[str, typer.Option(help="BTC, ETH, SI, GC, CL, ES, NQ or DXY.")],
    interval: Annotated[str, typer.Option(help="30m, 1h, 4h or 1d.")],
    source: Annotated[str | None, typer.Option(help="Who published the prices.")] = None,
) -> None:
    """Bars of one instrument."""
    from analysis.levels import Interval

    one_of("--interval", interval, tuple(choice.value for choice in Interval))
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

    copied = carry_out(running.upgrade(ctx.obj.settings.database_url))
    typer.echo("The store is up to date." + (f" The older one was kept as {copied}." if copied else ""))


@db_app.command("check")
def db_check(ctx: typer.Context) -> None:
    """Check the whole store: integrity, tables, schema. Exit status 1 if something is wrong."""
    from storage import migrate

    found = carry_out(migrate.check(ctx.obj.settings.database_url))
    if found.state in {"missing", "empty"}:
        fail("There is no store there yet: leadline sample, fetch or import makes one.")
    if found.state == "foreign":
        fail("That file is not a store of Leadline.")
    typer.echo(f"state: {found.state}, schema {found.revision} (this version: {found.expected_revision})")
    typer.echo(f"SQLite {found.sqlite_version}, journal {found.journal_mode}")
    for words in found.damage:
        typer.echo(f"damaged: {words}")
    if found.missing:
        typer.echo("missing tables: " + ", ".join(found.missing))
    if found.orphans:
        typer.echo(f"rows without their parent: {found.orphans}")
    if found.state == "unreadable":
        fail("The store cannot be opened for reading: restore a backup.")
    if not found.ok:
        fail("The store needs attention: restore a backup, or run leadline db upgrade if it is older.")
    typer.echo("The store is whole.")


@db_app.command("backup")
def db_backup(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write a checked copy of the store, also beside a running bot."""
    from storage import backup

    carry_out(backup.make(ctx.obj.settings.database_url, file))
    typer.echo(f"Backed up to {file}.")


@db_app.command("restore")
def db_restore(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="The backup to put in its place.")]
) -> None:
    """Put a backup in the place of the store, which is kept under another name; not while the bot runs."""
    from bot import running

    now = datetime.now(UTC)
    aside = carry_out(running.restore(ctx.obj.settings.database_url, file, now=now))
    typer.echo(
        f"The store is that of {file} again." + (f" The one before is kept as {aside}." if aside else "")
    )
