"""What the ladder says of one pool of cash behind several positions: what is short, and three orders of sale."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.ladder import Ladder
from analysis.ladder_sales import LIQUIDITY, Order, Pool, SaleOrder
from bot.language import Speech
from bot.reports.ladder_units import amount, size_of


def pool_lines(pool: Pool, result: Ladder, speech: Speech) -> Iterator[str]:
    _ = speech._
    shock = result.asked.shock_pct
    where = (
        _("at the mark")
        if shock is None
        else _("after a move of {percent}").format(percent=speech.percent(shock))
    )
    yield "**" + _("One pool of cross margin, {where}").format(where=where) + "**"
    yield _("Equity {equity}, maintenance {needed}").format(
        equity=amount(pool.equity, pool.currency, speech),
        needed=amount(pool.maintenance, pool.currency, speech),
    )
    if pool.short <= 0:
        yield _("Nothing has to be sold there.")
        return
    yield _("{short} short").format(short=amount(pool.short, pool.currency, speech))
    for order in pool.orders:
        yield _order_line(order, pool, result, speech)
    if pool.orders:
        yield "-# " + _(
            "Three orders side by side, none of them the answer. Most liquid first is an order we keep by hand: "
            "{order}, then the rest."
        ).format(order=_(", ").join(LIQUIDITY))


def _order_line(order: SaleOrder, pool: Pool, result: Ladder, speech: Speech) -> str:
    _ = speech._
    name = {
        Order.RELEASED: _("most margin freed per dollar of loss first"),
        Order.LIQUID: _("most liquid first"),
        Order.PRO_RATA: _("pro rata"),
    }[order.order]
    sales = _(", ").join(
        size_of(result.rungs[sale.index].position, sale.size, speech) for sale in order.sales
    )
    values = {
        "name": name,
        "sales": sales,
        "loss": amount(order.loss, pool.currency, speech),
        "freed": amount(order.released, pool.currency, speech),
        "notional": speech._("{amount} USD").format(amount=speech.dollars(order.remaining_notional_usd)),
    }
    if not order.covered:
        return _("- {name}: even a sale of everything does not cover it").format(**values)
    return _(
        "- {name}: {sales} · frees {freed}, realises a loss of {loss} · {notional} of notional remain"
    ).format(**values)
