"""What ``ladder`` says, in the reader's language. Estimates with their formulas; never advice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from analysis.charts import freshness_words
from analysis.freshness import Freshness, freshness
from analysis.ladder import OFFSET_INDEX_PCT, Ladder, Market, Rung
from analysis.ladder_positions import Convention, Kind
from analysis.ladder_steps import Steps
from analysis.ladder_tiers import Kept
from analysis.margin import Basis
from bot.language import NO_BREAK_SPACE, Speech
from bot.reports.ladder_sale_words import pool_lines
from bot.reports.ladder_units import amount, dollars, kind, rate, side, size_of
from bot.reports.shapes import Reply, data_line

MOST_STANDINGS: Final = 6


def say(result: Ladder, speech: Speech, now: datetime) -> Reply:
    lines = (
        [_steps_title(result.steps, speech)]
        if result.steps is not None
        else [
            line
            for rung in result.rungs
            for line in _rung_lines(rung, _market(result, rung), speech, several=len(result.rungs) > 1)
        ]
    )
    lines.append("-# " + speech._("An estimate from what was typed: the venue's own figure decides."))
    return Reply(
        lines=tuple(lines),
        details=tuple(_details(result, speech)),
        data_line=_data_line(result, speech, now),
    )


def shared(result: Ladder, speech: Speech, *, amounts: bool) -> str:
    """What is posted for all to see: without sizes and equity, unless ``amounts``."""
    _ = speech._
    said = ["**" + _("A ladder, shared by a member") + "**"]
    for rung in result.rungs:
        said.append(_headline(rung, speech, amounts=amounts))
        if amounts:
            said.append(_left(rung, speech))
    if result.steps is not None:
        said += [_steps_title(result.steps, speech), *_steps_table(result.steps, speech)]
    said.append("-# " + _("An estimate from what was typed, not advice: the venue's own figure decides."))
    return "\n".join(said)


def _distance(rung: Rung, speech: Speech) -> str:
    _ = speech._
    if rung.distance_pct is None:
        return ""
    percent = speech.percent(rung.distance_pct)
    if rung.distance_atr is None:
        return percent
    return _("{percent}, {atr} daily ATRs").format(percent=percent, atr=speech.signed(rung.distance_atr))


# --- a position ---------------------------------------------------------------


def _headline(rung: Rung, speech: Speech, *, amounts: bool = True) -> str:
    _, position = speech._, rung.position
    values = {
        "side": side(position.side, speech),
        "kind": kind(position.kind, speech),
        "what": size_of(position, position.size, speech) if amounts else position.instrument,
        "entry": dollars(position.entry),
        "leverage": f"{position.leverage:.4g}",
        "price": "" if rung.liquidation_price is None else dollars(rung.liquidation_price),
        "distance": _distance(rung, speech),
    }
    if rung.liquidation_price is None:
        return _("**{side} {what}** ({kind}, {leverage}x from {entry}): no price liquidates it").format(
            **values
        )
    if not rung.at_mark.stands and position.kind is Kind.FUTURES:
        return _(
            "**{side} {what}** ({leverage}x from {entry}): **at its margin call or past it, {price}** ({distance})"
        ).format(**values)
    if not rung.at_mark.stands:
        return _(
            "**{side} {what}** ({kind}, {leverage}x from {entry}): **already beyond its liquidation price "
            "{price}** ({distance})"
        ).format(**values)
    if position.kind is Kind.FUTURES:
        return _(
            "**{side} {what}** ({leverage}x from {entry}): **margin call at {price}** ({distance})"
        ).format(**values)
    return _(
        "**{side} {what}** ({kind}, {leverage}x from {entry}): **liquidated at {price}** ({distance})"
    ).format(**values)


def _left(rung: Rung, speech: Speech) -> str:
    """What is left at the present price."""
    _, now, currency = speech._, rung.at_mark, rung.position.currency
    return _("At the mark {mark}: equity {equity}, maintenance {maintenance}").format(
        mark=dollars(now.price),
        equity=amount(now.equity, currency, speech),
        maintenance=amount(now.maintenance, currency, speech),
    )


def _market(result: Ladder, rung: Rung) -> Market | None:
    return result.market if rung.position.instrument == result.instrument else None


def _rung_lines(rung: Rung, market: Market | None, speech: Speech, *, several: bool) -> Iterator[str]:
    _, position, found = speech._, rung.position, rung.what_if
    yield _headline(rung, speech)
    # Where no mark is typed the entry counts as it; the market may be elsewhere.
    if (
        market is not None
        and position.mark == position.entry
        and rung.at_mark.stands
        and rung.is_beyond(market.price)
    ):
        yield _("The last close, {price} of {time}, lies beyond that price.").format(
            price=dollars(market.price), time=speech.instant(market.closed_at)
        )
    if not several:
        yield _left(rung, speech)
    held = rung.hold
    if held is not None:
        add = amount(held.add, position.currency, speech)
        if held.add == 0:
            yield _("Held until {price} as it is.").format(price=dollars(held.price))
        elif held.cut is None:
            yield _("To hold until {price}: add **{add}**; no cut does it").format(
                price=dollars(held.price), add=add
            )
        else:
            yield _("To hold until {price}: add **{add}**, or cut **{cut}**").format(
                price=dollars(held.price), add=add, cut=size_of(position, held.cut, speech)
            )
    if found is not None:
        told = _("at no price") if found.liquidation_price is None else dollars(found.liquidation_price)
        if not found.stands:
            told = _("{price}: beyond the mark already").format(price=told)
        if found.following is not None and found.following.effective is not None:
            yield _("Under the next rule, from {time}: {price}").format(
                time=speech.instant(found.following.effective), price=told
            )
        else:
            yield _("At {rate} maintenance: {price}").format(rate=rate(found.rate), price=told)


def _details(result: Ladder, speech: Speech) -> Iterator[str]:
    _ = speech._
    if result.steps is not None:
        yield from _steps_table(result.steps, speech)
        if result.kept is not None:
            yield "-# " + _("Maintenance rate: {told}").format(told=_table(result.kept, result.as_of, speech))
    for number, rung in enumerate(result.rungs, start=1):
        title = _("Position {n}").format(n=number) if len(result.rungs) > 1 else _("On the way")
        yield f"**{title}**"
        yield from _rung_details(rung, result, speech)
    for pool in result.pools:
        yield from pool_lines(pool, result, speech)
    if result.asked.hold is not None and any(rung.hold is None for rung in result.rungs):
        yield _("Nothing is told of holding until {price} where the mark has passed it already.").format(
            price=dollars(result.asked.hold)
        )
    if result.asked.next_rule and all(rung.what_if is None for rung in result.rungs):
        yield _("No next change of the rate is known.")
    yield from _formulas(result, speech)
    yield "-# " + _("Facts and arithmetic, not a forecast and not advice.")


def _rung_details(rung: Rung, result: Ladder, speech: Speech) -> Iterator[str]:
    _, position, currency = speech._, rung.position, rung.position.currency
    if len(result.rungs) > 1:
        yield _left(rung, speech)
    yield _(
        "Margin {margin} · bankruptcy price {bankruptcy} · maintenance {rate}{origin} · fee {fee}"
    ).format(
        margin=amount(rung.margin, currency, speech),
        bankruptcy=_("none") if rung.bankruptcy_price is None else dollars(rung.bankruptcy_price),
        rate=rate(rung.rate),
        origin=_origin(rung, result.as_of, speech),
        fee=rate(position.fee),
    )
    for standing in rung.standings[:MOST_STANDINGS]:
        values = {
            "price": dollars(standing.price),
            "label": speech.label(standing.label) if standing.label else _("the move asked about"),
            "equity": amount(standing.equity, currency, speech),
            "needed": amount(standing.maintenance, currency, speech),
        }
        if standing.stands:
            yield _("- {price} ({label}): {equity} left, {needed} needed").format(**values)
        else:
            yield _("- {price} ({label}): liquidated before").format(**values)
    if rung.gauge is not None:
        yield _("Risk index (equity / initial margin, as Taiwanese brokers count): {index}").format(
            index=f"{speech.number(rung.gauge.index_pct)}{NO_BREAK_SPACE}%"
        )
        if rung.gauge.offset_price is not None:
            yield _("Below {index} a broker sells by force: at {price}").format(
                index=f"{OFFSET_INDEX_PCT:g}{NO_BREAK_SPACE}%", price=dollars(rung.gauge.offset_price)
            )
    elif result.asked.gauge:
        yield _("The risk index is about futures: there is no initial margin here to set equity against.")
    if rung.hold is not None and rung.hold.cut:
        yield "-# " + _(
            "The cut keeps what the sale frees with the position. A venue that takes the margin out pro rata does "
            "not move the price when you cut. Fees and slippage of the sale are left out."
        )


def _table(kept: Kept, now: datetime, speech: Speech) -> str:
    """Whose table the maintenance rate is from, of when, how old that is, and whether it is stale."""
    _ = speech._
    date = speech.day(kept.read_on) if kept.seen_at is None else speech.instant(kept.seen_at)
    age = kept.age(now)
    if age < timedelta(0):
        # Asked about a time before: there is no older table.
        told = _("{source}, read {date}").format(source=kept.source, date=date)
    else:
        told = _("{source}, read {date}, {age}").format(source=kept.source, date=date, age=speech.age(age))
    if kept.freshness(now) is Freshness.STALE:
        told += _("; stale: the venue has not answered since")
    if not kept.whole:
        told += _("; the lowest bracket only: large positions pay more")
    return told


def _origin(rung: Rung, now: datetime, speech: Speech) -> str:
    """Where the maintenance rate comes from."""
    _, kept, contract = speech._, rung.holding.kept, rung.holding.contract
    if kept is not None:
        return _(" ({told})").format(told=_table(kept, now, speech))
    if contract is not None and contract.rule.basis is Basis.FIXED:
        fixed = f"{contract.rule.maintenance * contract.product.ounces / contract.product.leader_ounces:,.0f}"
        return _(" ({told})").format(told=_("{usd} USD a contract, whatever the price").format(usd=fixed))
    return ""


# --- leverages ------------------------------------------------------------------


def _steps_title(steps: Steps, speech: Speech) -> str:
    _, values = speech._, {row.leverage: row for row in steps.rows}
    ten = values[10]
    told = {
        "side": side(steps.side, speech),
        "entry": dollars(steps.entry),
        "rate": rate(steps.rate),
        "linear": _("none") if ten.linear_pct is None else speech.percent(ten.linear_pct),
        "inverse": _("none") if ten.inverse_pct is None else speech.percent(ten.inverse_pct),
    }
    return _(
        "**Leverages of a {side} from {entry}** at {rate} maintenance: 10x is liquidated at {linear}, inverse at {inverse}"
    ).format(**told)


def _steps_table(steps: Steps, speech: Speech) -> Iterator[str]:
    _ = speech._

    def told(price: float | None, percent: float | None) -> str:
        if price is None or percent is None:
            return _("none")
        return _("{price} ({percent})").format(
            price=dollars(price), percent=speech.percent(percent, decimals=2)
        )

    for row in steps.rows:
        yield _("- {leverage}x: linear {linear} · inverse {inverse}").format(
            leverage=row.leverage,
            linear=told(row.linear, row.linear_pct),
            inverse=told(row.inverse, row.inverse_pct),
        )
    yield "-# " + _("An inverse long is liquidated sooner: its collateral falls with the price.")


def _formulas(result: Ladder, speech: Speech) -> Iterator[str]:
    """The formula behind every figure, in the field's letters."""
    _ = speech._
    kinds = {(rung.position.kind, rung.position.convention) for rung in result.rungs}
    if result.steps is not None:
        kinds = {(Kind.LINEAR, Convention.MARK), (Kind.INVERSE, Convention.MARK)}
    formulas = {
        (Kind.LINEAR, Convention.MARK): "P = (s q E − W − c) / (q (s − mmr − f))",
        (Kind.LINEAR, Convention.ENTRY): "P = E − s (W − MM) / q, MM = q E (mmr + f) − c",
        (Kind.INVERSE, Convention.MARK): "P = K (s + mmr + f) / (s K/E + W + c)",
        (Kind.INVERSE, Convention.ENTRY): "P = K / (K/E + s (W − MM)), MM = K/E (mmr + f) − c",
        (Kind.INVERSE, Convention.BYBIT2026): "P = K (s + mmr) / (s K/E + K/(E λ) + X/(1 + s f) + c)",
        (Kind.FUTURES, Convention.MARK): "P = (s n Q E − W) / (n Q (s − m))",
        (Kind.FUTURES, Convention.ENTRY): "P = E − s (W − n M) / (n Q)",
    }
    named = {Convention.MARK: _("mark"), Convention.ENTRY: _("entry"), Convention.BYBIT2026: "Bybit 2026"}
    for contract, convention in sorted(kinds):
        yield "-# " + _("Estimate ({kind}, {convention}): {formula}").format(
            kind=kind(contract, speech), convention=named[convention], formula=formulas[contract, convention]
        )
    yield "-# " + _(
        "s = +1 long, −1 short; q coins, K US dollars, n contracts of Q ounces, E entry, W margin behind the "
        "position, c deduction, f fee. The mark price decides, not the last one; funding eats margin over time."
    )
    if any(rung.position.cross for rung in result.rungs):
        yield "-# " + _("Cross: W = balance − maintenance of the others + their profit, all at their marks.")


def _data_line(result: Ladder, speech: Speech, now: datetime) -> str:
    _, market = speech._, result.market
    if market is None:
        return _("no close of {instrument} known").format(instrument=result.instrument)
    age = now - market.closed_at
    return data_line(
        [
            market.source,
            _("last close {price}, {time}").format(
                price=dollars(market.price), time=speech.instant(market.closed_at)
            ),
            speech.age(age),
            freshness_words.word(freshness(market.closed_at, now, market.rhythm), _),
        ],
        speech,
        is_sample=market.is_sample,
    )
