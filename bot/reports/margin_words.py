"""What ``silver-margin`` says, in the reader's language. Facts and arithmetic, no advice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from analysis.charts import freshness_words
from analysis.freshness import DAILY, Freshness, freshness
from analysis.margin import Account, Basis, Compounding, Margin, Move, Side, Step
from analysis.margin_rules import table_is_old
from bot.language import NO_BREAK_SPACE, Speech
from bot.reports.shapes import Reply, data_line

MOST_STEPS: Final = 12
_NEW_YORK: Final = ZoneInfo("America/New_York")


def say(result: Margin, speech: Speech, now: datetime) -> Reply:
    _ = speech._
    lines = [_rule_line(result, speech), _dollars_line(result, speech), _next_line(result, speech)]
    if result.account is not None:
        lines.append(_account_line(result, result.account, speech))
    if result.compounding is not None:
        lines.append(_compounding_line(result.compounding, speech))
    if (
        result.price_date is not None
        and result.closed_at is not None
        and freshness(result.closed_at, now, DAILY) is Freshness.STALE
    ):
        lines.append(
            _("The last close known is {age}: give a newer price with the option price.").format(
                age=speech.age(now - result.closed_at)
            )
        )
    if result.told_at is not None and table_is_old(result.told_at, now):
        lines.append(
            _(
                "**The margin table is stale**: its newest notice is {age}. What changed later is not in it; "
                "moderators enter that with /data."
            ).format(age=speech.age(now - result.told_at))
        )
    lines.append("-# " + _("The exchange's minimum: what a broker asks (house margin) is usually higher."))
    return Reply(
        lines=tuple(lines), details=tuple(_details(result, speech)), data_line=_data_line(result, speech, now)
    )


def rate(value: float) -> str:
    return f"{value:g}{NO_BREAK_SPACE}%"


def short(value: float, speech: Speech) -> str:
    """US dollars, to the cent only where there are cents."""
    return speech.dollars(value).removesuffix(".00")


def rule(basis: Basis, value: float, speech: Speech) -> str:
    if basis is Basis.PERCENT:
        return rate(value)
    return speech._("{amount} USD").format(amount=short(value, speech))


def _rule_of(step: Step, speech: Speech) -> str:
    return rule(step.basis, step.value, speech)


def _since(step: Step, speech: Speech) -> str:
    _ = speech._
    if step.effective is None:
        return _("since when is not known")
    if not step.dated:
        told = _("date of the change unknown, by {time} at the latest").format(
            time=speech.instant(step.effective)
        )
    else:
        told = _("in force since {time}").format(time=speech.instant(step.effective))
    return _and_by_whom(told, step, speech)


def _and_by_whom(told: str, step: Step, speech: Speech) -> str:
    """``told``, and of a step that is not in the shared table since when it is known here."""
    if step.entered_at is None:
        return told
    return speech._("{step} (entered by a moderator, {day})").format(
        step=told, day=speech.day(step.entered_at.astimezone(speech.zone).date())
    )


def _rule_line(result: Margin, speech: Speech) -> str:
    _ = speech._
    if result.basis is Basis.PERCENT:
        told = _("{rate} of notional").format(rate=_rule_of(result.in_force, speech))
    else:
        told = _("fixed at {amount}").format(amount=_rule_of(result.in_force, speech))
    if result.table_is_old:
        told = _("{rule}, last known").format(rule=told)
    if result.price_date is None:
        origin = _("asked price")
    else:
        origin = _("close of {date}").format(date=speech.day(result.price_date))
    values = {
        "product": result.product.code,
        "rule": told,
        "since": _since(result.in_force, speech),
        "price": _ounce(result.price),
        "origin": origin,
    }
    if result.product.derived:
        return _("**{product}: {rule}** (derived from {leader}), {since} · {price} USD/oz ({origin})").format(
            **values, leader=result.product.leader
        )
    return _("**{product}: {rule}**, {since} · {price} USD/oz ({origin})").format(**values)


def _ounce(value: float) -> str:
    """A price of an ounce: to the cent, to a tenth of it where it was quoted so."""
    text = f"{value:,.3f}"
    return text.removesuffix("0")


def _dollars_line(result: Margin, speech: Speech) -> str:
    _, asked = speech._, result.cost
    initial, maintenance = speech.dollars(asked.initial_usd), speech.dollars(asked.maintenance_usd)
    values = {
        "initial": initial,
        "maintenance": maintenance,
        "hrp": speech.dollars(asked.hrp_initial_usd),
        "leverage": speech.number(result.leverage),
    }
    if initial == maintenance:
        return _(
            "A contract: **{initial} USD** initial and maintenance · HRP initial {hrp} USD · leverage {leverage}x"
        ).format(**values)
    return _(
        "A contract: **{initial} USD** initial, {maintenance} USD maintenance · HRP initial {hrp} USD · "
        "leverage {leverage}x"
    ).format(**values)


def _next_line(result: Margin, speech: Speech) -> str:
    _, step = speech._, result.next_step
    if step is None or result.next_cost is None or step.effective is None:
        return _("Next change: not known.") if result.table_is_old else _("Next change: none known.")
    line = _("Next change: **{rule}** from {time} (17:00 New York), {initial} USD a contract at this price")
    told = line.format(
        rule=_rule_of(step, speech),
        time=speech.instant(step.effective),
        initial=speech.dollars(result.next_cost.initial_usd),
    )
    told = told if step.change_pct is None else f"{told} · {speech.percent(step.change_pct)}"
    return _and_by_whom(told, step, speech)


# --- an account ---------------------------------------------------------------


def _away(price: float, result: Margin, speech: Speech) -> str:
    """A call price with its distance from the asked price."""
    return _both(_ounce(round(price, 2)), speech.percent(100 * (price / result.price - 1)), speech)


def _both(figure: str, percent: str, speech: Speech) -> str:
    return speech._("{figure} ({percent})").format(figure=figure, percent=percent)


def _account_line(result: Margin, account: Account, speech: Speech) -> str:
    _, position = speech._, account.position
    if position.equity is None:
        return _("**Contracts: {contracts}** · {initial} USD initial, {maintenance} USD maintenance").format(
            contracts=f"{position.contracts:,}",
            initial=speech.dollars(account.initial_usd or 0.0),
            maintenance=speech.dollars(account.maintenance_usd or 0.0),
        )
    equity = speech.dollars(position.equity)
    if position.contracts is None:
        return _("**Equity {equity} USD** · contracts it carries at initial margin: {carried}").format(
            equity=equity, carried=f"{account.contracts_carried or 0:,}"
        )
    if account.called:
        return _(
            "**Below maintenance at this price**: equity {equity} USD, maintenance {maintenance} USD; "
            "deposit {deposit} USD, or contracts to cut: {cut}"
        ).format(
            equity=equity,
            maintenance=speech.dollars(account.maintenance_usd or 0.0),
            deposit=speech.dollars(account.deposit_usd or 0.0),
            cut=f"{account.contracts_to_cut or 0:,}",
        )
    if account.call_price is None:
        return _("**No price leads to a margin call**: equity {equity} USD").format(equity=equity)
    return _("**Margin call at {price}** · equity {equity} USD, maintenance {maintenance} USD").format(
        price=_away(account.call_price, result, speech),
        equity=equity,
        maintenance=speech.dollars(account.maintenance_usd or 0.0),
    )


def _account_details(result: Margin, account: Account, speech: Speech) -> Iterator[str]:
    _, position, later = speech._, account.position, result.account_next
    yield "**" + _("Your account") + "**"
    side = _("long") if position.side is Side.LONG else _("short")
    kind = _("HRP") if position.hrp else _("not HRP")
    if position.contracts is None:
        yield _("{kind}; give contracts as well for a call price").format(kind=kind)
    elif position.equity is None:
        yield _("{side}, {kind}; give equity as well for a call price").format(side=side, kind=kind)
    else:
        yield _("Contracts: {contracts}, {side}, {kind}, entered at the price above").format(
            contracts=f"{position.contracts:,}", side=side, kind=kind
        )
    if account.initial_usd is not None and account.contracts_carried is not None:
        yield _("Initial {initial} USD · contracts the equity carries: {carried}").format(
            initial=speech.dollars(account.initial_usd), carried=f"{account.contracts_carried:,}"
        )
    if account.risk_index_pct is not None:
        yield _("Risk index (equity / initial margin, as Taiwanese brokers count): {index}").format(
            index=speech.number(account.risk_index_pct) + NO_BREAK_SPACE + "%"
        )
    if account.called is not None:
        yield _("Call price under the rule in force: {price}").format(price=_call(account, result, speech))
    if later is not None:
        yield from _after(result, later, speech)
    if account.ways:
        yield "**" + _("Ways to meet the call, in no order of merit") + "**"
        for way in account.ways:
            yield _("- contracts to cut: {contracts}, deposit: {deposit} USD").format(
                contracts=f"{way.contracts:,}", deposit=speech.dollars(way.deposit_usd)
            )
        yield "-# " + _(
            "A sale frees its margin but adds no equity, and slippage lowers it: {tick} USD an ounce is {cost} USD "
            "a contract."
        ).format(tick="0.10", cost=short(result.product.ounces / 10, speech))
        yield "-# " + _(
            "Whoever holds other things too may sell in several orders: (a) what frees most margin for each dollar "
            "of loss realised, (b) the most liquid first, (c) everything pro rata. Options, not an answer."
        )


def _call(account: Account, result: Margin, speech: Speech) -> str:
    if account.call_price is None:
        return speech._("none, at no price")
    return _away(account.call_price, result, speech)


def _after(result: Margin, later: Account, speech: Speech) -> Iterator[str]:
    """The same account at the same price under the next rule."""
    _, step = speech._, result.next_step
    if step is None or step.effective is None:
        return
    parts = []
    if later.initial_usd is not None:
        parts.append(_("initial {initial} USD").format(initial=speech.dollars(later.initial_usd)))
    if later.contracts_carried is not None:
        parts.append(
            _("contracts the equity carries: {carried}").format(carried=f"{later.contracts_carried:,}")
        )
    if later.called is not None:
        parts.append(_("call price {price}").format(price=_call(later, result, speech)))
    if later.called:
        parts.append(
            _("a call at this price: deposit {deposit} USD, or contracts to cut: {cut}").format(
                deposit=speech.dollars(later.deposit_usd or 0.0), cut=f"{later.contracts_to_cut or 0:,}"
            )
        )
    yield _("From {time} on, at {rule}: {parts}").format(
        time=speech.instant(step.effective), rule=_rule_of(step, speech), parts=" · ".join(parts)
    )


# --- details --------------------------------------------------------------------


def _details(result: Margin, speech: Speech) -> Iterator[str]:
    _ = speech._
    if result.account is not None:
        yield from _account_details(result, result.account, speech)
    product = result.product
    yield "**" + _("A contract") + "**"
    yield _("{product}: {ounces} ounces, notional {notional} USD").format(
        product=product.code, ounces=f"{product.ounces:,}", notional=speech.dollars(result.notional_usd)
    )
    if product.derived:
        yield _(
            "{product} follows {leader}: the same percent, fixed dollars by ounces (derived, not published here)"
        ).format(product=product.code, leader=product.leader)
    crossed = result.crossover
    if crossed is not None:
        yield _(
            "{rate} asks more than the last fixed rule, {fixed} USD, above {price} USD/oz and less below it"
        ).format(
            rate=rate(crossed.rate_pct),
            fixed=short(crossed.fixed_usd, speech),
            price=_ounce(round(crossed.price, 2)),
        )
    yield "**" + _("The schedule: what each change did to a contract") + "**"
    steps = result.steps
    if len(steps) > MOST_STEPS + 1:
        yield _("… {n} earlier changes are in the CSV").format(n=len(steps) - MOST_STEPS - 1)
        steps = steps[-MOST_STEPS - 1 :]
    if steps[0].effective is None:
        yield _("before: {rule}, since when is not known").format(rule=_rule_of(steps[0], speech))
    for before, step in pairwise(steps):
        yield _step_line(before, step, speech)
    if len(steps) == 1 and steps[0].effective is not None:
        yield f"{speech.instant(steps[0].effective, year=True)} · {_rule_of(steps[0], speech)}"
    yield "-# " + _(
        "Price part: the old rule from the price at the change before to the price at this one; rate part: old rule "
        "to new at this price. The two add up. “Cut”: what a fully margined account has to sell at constant equity."
    )
    yield "-# " + _(
        "A change takes effect after the close: 17:00 New York of its date. HRP: accounts with a heightened risk "
        "profile pay 110 % of maintenance at first. The table is compiled from notices and the press; each row's "
        "source is in the CSV."
    )
    yield "-# " + _("Facts and arithmetic, not a forecast and not advice.")


def _step_line(before: Step, step: Step, speech: Speech) -> str:
    _ = speech._
    when = "" if step.effective is None else speech.instant(step.effective, year=True)
    if not step.dated:
        when = _("date unknown, by {time} at the latest").format(time=when)
    elif not step.in_force:
        when = _("{time} (to come)").format(time=when)
    parts = [
        _("{before} → **{after}**").format(before=_rule_of(before, speech), after=_rule_of(step, speech))
    ]
    if step.change_pct is not None:
        parts.append(speech.percent(step.change_pct))
    if step.rate_part is not None and step.price_part is not None and step.initial_usd is not None:
        parts.append(
            _("margin {initial} USD: price {price}, rate {rate}").format(
                initial=f"{step.initial_usd:,.0f}",
                rate=_dollars(step.rate_part, speech),
                price=_dollars(step.price_part, speech),
            )
        )
    if step.cut_pct is not None and step.cut_pct > 0:
        parts.append(_("cut {percent}").format(percent=speech.number(step.cut_pct) + NO_BREAK_SPACE + "%"))
    return _and_by_whom(f"{when} · " + " · ".join(parts), step, speech)


def _dollars(part: Move, speech: Speech) -> str:
    return speech.signed(part.usd, decimals=0)


def _compounding_line(found: Compounding, speech: Speech) -> str:
    """The sentence of the trade: what the price gave, what the rate took."""
    _ = speech._
    told = _(
        "{from_date} at {from_price} and {from_rule}: {from_usd} USD; {to_date} at {to_price} and {to_rule}: "
        "{to_usd} USD. Price {price}, margin {margin}: price part {price_part}, rate part {rate_part} USD"
    ).format(
        from_date=speech.day(found.date_from),
        from_price=_ounce(found.price_from),
        from_rule=rule(found.basis_from, found.value_from, speech),
        from_usd=speech.dollars(found.initial_from),
        to_date=speech.day(found.date_to),
        to_price=_ounce(found.price_to),
        to_rule=rule(found.basis_to, found.value_to, speech),
        to_usd=speech.dollars(found.initial_to),
        price=speech.percent(found.price_change_pct),
        margin=speech.percent(found.initial_change_pct),
        price_part=_dollars(found.price_part, speech),
        rate_part=_dollars(found.rate_part, speech),
    )
    if found.price_part.usd < 0 <= found.price_part.usd + found.rate_part.usd:
        return told + " · " + _("the rise of the rate undid the whole relief of the fall")
    return told


def _data_line(result: Margin, speech: Speech, now: datetime) -> str:
    _ = speech._
    parts = [speech.source(result.source)]
    if result.told_at is not None:
        # A notice counts as known when its day is over in New York.
        day = (result.told_at - timedelta(seconds=1)).astimezone(_NEW_YORK).date()
        parts.append(_("newest notice {day}").format(day=speech.day(day)))
        if table_is_old(result.told_at, now):
            parts.append(freshness_words.word(Freshness.STALE, _))
    if result.closed_at is None:
        parts.append(_("no close known"))
    else:
        parts += [
            _("closes: {source}, last {time}").format(
                source=result.price_source, time=speech.instant(result.closed_at)
            ),
            speech.age(now - result.closed_at),
            freshness_words.word(freshness(result.closed_at, now, DAILY), _),
        ]
    return data_line(parts, speech, is_sample=result.is_sample)
