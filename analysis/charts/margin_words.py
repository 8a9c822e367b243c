"""What the picture of ``/silver-margin`` says, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.charts import freshness_words, quantities
from analysis.charts.look import ALT_TEXT_LIMIT
from analysis.charts.text import clean
from analysis.charts.time_words import moment
from analysis.freshness import Freshness
from analysis.margin import Basis

if TYPE_CHECKING:
    from analysis.charts.look import Gettext, Look
    from analysis.margin import Margin, Step


def rule(basis: Basis, value: float) -> str:
    """15 %, or 32,500 (US dollars a contract)."""
    return quantities.rate(value) if basis is Basis.PERCENT else quantities.dollars(value)


def kind(basis: Basis, value: float, _: Gettext) -> str:
    """The rule beside its own dollars: 15 %, or that it is fixed."""
    return quantities.rate(value) if basis is Basis.PERCENT else _("fixed")


def title(result: Margin, _: Gettext) -> str:
    """The answer in one line."""
    values = {
        "product": result.product.code,
        "rule": kind(result.basis, result.in_force.value, _),
        "usd": quantities.dollars(result.cost.initial_usd),
        "price": quantities.ounce(result.price),
        "leverage": quantities.ratio(result.leverage),
    }
    return _("{product} {rule} · {usd} USD a contract at {price} · {leverage}x").format(**values)


def outlook(result: Margin, look: Look, _: Gettext) -> str:
    """The next change, or that none is known."""
    step = result.next_step
    if step is None or step.effective is None or result.next_cost is None:
        return _old(result, _) if result.table_is_old else _("Next change: none known")
    values = {
        "rule": kind(step.basis, step.value, _),
        "time": moment(step.effective, ZoneInfo(look.zone), _("%-d %b %H:%M")),
        "usd": quantities.dollars(result.next_cost.initial_usd),
    }
    if step.change_pct is None:
        return _("Next: {rule} from {time} · {usd} USD").format(**values)
    return _("Next: {rule} from {time} · {usd} USD · {percent}").format(
        **values, percent=quantities.percent(step.change_pct)
    )


def _old(result: Margin, _: Gettext) -> str:
    days = 0 if result.told_at is None else (result.as_of - result.told_at).days
    return _("Margin table stale, newest notice {n} days old: later changes not known").format(n=days)


def effective(step: Step, look: Look, _: Gettext) -> str:
    """The day of a change as the head of its column."""
    if not step.dated or step.effective is None:
        return _("undated")
    return moment(step.effective, ZoneInfo(look.zone), _("%-d %b"))


def crossover(result: Margin, _: Gettext) -> str:
    found = result.crossover
    if found is None:
        return ""
    return _("last fixed rule {usd} = {rate} at {price}").format(
        usd=quantities.dollars(found.fixed_usd),
        rate=quantities.rate(found.rate_pct),
        price=quantities.ounce(found.price),
    )


def foot(result: Margin, look: Look, _: Gettext) -> str:
    """Where rules and closes come from, whose clock is used, and up to when closes are known."""
    parts = [clean(_(result.source) if result.source else "")]
    if result.table_is_old:
        parts[0] = freshness_words.beside(parts[0], Freshness.STALE, _)
    if result.product.derived:
        parts.append(_("derived from {leader}").format(leader=result.product.leader))
    if result.price_source is not None and result.closed_at is not None:
        closes = _("{source} to {time}").format(
            source=clean(result.price_source),
            time=moment(result.closed_at, ZoneInfo(look.zone), _("%-d %b %H:%M")),
        )
        parts.append(freshness_words.beside(closes, result.freshness, _))
    if any(step is not None and step.entered_at is not None for step in (result.in_force, result.next_step)):
        parts.append(_("rule entered by a moderator"))
    parts.append(_("time zone {zone}").format(zone=clean(look.zone)))
    return " · ".join(parts)


def alt(result: Margin, look: Look, _: Gettext) -> str:
    """The picture for those who do not see it, at most ``ALT_TEXT_LIMIT`` characters."""
    asked = {
        "product": result.product.code,
        "usd": quantities.dollars(result.cost.initial_usd),
        "price": quantities.ounce(result.price),
        "leverage": quantities.ratio(result.leverage),
    }
    if result.rate_pct is None:
        said = [
            _("{product} margin: fixed, {usd} USD a contract at {price}, leverage {leverage}x.").format(
                **asked
            )
        ]
    else:
        said = [
            _(
                "{product} margin: {rate} of notional, {usd} USD a contract at {price}, leverage {leverage}x."
            ).format(**asked, rate=quantities.rate(result.rate_pct))
        ]
    if result.next_step is None:  # no time is told, so no zone is
        said.append(f"{_old(result, _)}." if result.table_is_old else _("Next change: none known."))
    else:
        said.append(_("{outlook} ({zone}).").format(outlook=outlook(result, look, _), zone=clean(look.zone)))
    shown = [rule(step.basis, step.value) for step in result.steps if step.in_force][-6:]
    if len(shown) > 1:
        said.append(_("Steps: {steps}.").format(steps=" → ".join(shown)))
    return clean(" ".join(said), ALT_TEXT_LIMIT)
