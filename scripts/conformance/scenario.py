"""A lively stretch at the simulated venue, in process: one of everything it serves, as clients got it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from exchange.sim.events import StatusChanged
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.model import AccountState
from exchange.sim.surface.entry.auth import signature
from exchange.sim.surface.inprocess import InProcess, MemoryStream
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.switchboard import Switchboard
from scripts.conformance.recordings import kind_of_frame

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
Row = dict[str, Any]


class Client:
    """One account at a venue, with its three streams; every answer is kept by its type."""

    def __init__(self, board: Switchboard, account: AccountState, answers: dict[str, list[Any]]) -> None:
        self._board, self._account, self._answers = board, account, answers
        self._near = InProcess(board)
        self._streams: list[MemoryStream] = []

    def get(self, path: str, **params: object) -> list[Any]:
        return self._ask("GET", path, "?" + urlencode(params) if params else "", "")

    def post(self, path: str, body: object) -> list[Any]:
        return self._ask("POST", path, "", json.dumps(body))

    def _ask(self, method: str, path: str, query: str, body: str) -> list[Any]:
        stamp = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self._board.now_ms)
        at, target = stamp.isoformat(timespec="milliseconds")[:23] + "Z", f"/api/v5{path}"
        headers = {
            "OK-ACCESS-KEY": self._account.key,
            "OK-ACCESS-PASSPHRASE": self._account.passphrase,
            "OK-ACCESS-TIMESTAMP": at,
            "OK-ACCESS-SIGN": signature(self._account.secret, at + method + target + query + body),
            "Content-Type": "application/json",
        }
        _, _, raw = self._near.request(method, target, query[1:], headers, body.encode())
        answer = json.loads(raw)
        if answer["code"] != "0":
            raise AssertionError(f"{method} {path}{query} {body}: {raw.decode()}")
        kind = "rest:GET " if (method, path) == ("GET", "/trade/order-algo") else "rest:"
        self._answers.setdefault(kind + path, []).append(answer)
        data: list[Any] = answer["data"]
        return data

    def stream(self, kind: str, *args: Row) -> MemoryStream:
        """Open a stream, log in, and subscribe to everything named."""
        stream = self._near.connect(f"/ws/v5/{kind}")
        self._streams.append(stream)
        seconds = str(self._board.now_ms // 1000)
        login = {
            "apiKey": self._account.key,
            "passphrase": self._account.passphrase,
            "timestamp": seconds,
            "sign": signature(self._account.secret, seconds + "GET/users/self/verify"),
        }
        stream.say(json.dumps({"op": "login", "args": [login]}))
        for arg in args:
            stream.say(json.dumps({"op": "subscribe", "args": [arg]}))
        return stream

    def hear(self) -> None:
        """Keep what the streams have brought."""
        for stream in self._streams:
            while (frame := stream.next_frame()) is not None:
                message = json.loads(frame)
                stripped = {
                    name: value for name, value in message.items() if name != "arg" or "event" in message
                }
                self._answers.setdefault(kind_of_frame(message), []).append(stripped)


def order(side: str, kind: str, size: str, price: str = "", inst_id: str = SWAP, **more: Any) -> Row:
    mode = "cash" if inst_id == SPOT else "cross"
    body = {"instId": inst_id, "tdMode": mode, "side": side, "ordType": kind, "sz": size, "px": price}
    return {**body, **more}


class Scenario:
    """`play` returns every answer by type: rest:/account/balance, ws:orders, wsop:order, wsev:login."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.venue = Exchange(GeneratedMarket(7, ("BTC", "ETH")), 7)
        premises = premises_of(self.venue, rate_limits=False)
        self.edits = premises.edits
        self.board = Switchboard(premises)
        self.me = self._client("conform", {"USDT": Decimal(200_000), "BTC": Decimal(1)})
        self.weak = self._client("weak", {"USDT": Decimal(100_000)})

    def _client(self, name: str, cash: dict[str, Decimal], level: str = "2") -> Client:
        account = self.venue.create_account(name, f"{name}-key", f"{name}-secret", "pass", cash, level)
        account.fee_level = "VIP5"
        return Client(self.board, account, self.answers)

    def play(self) -> dict[str, list[Any]]:
        self._run(10 * MINUTE_MS)  # the world begins within a settlement
        self._listen()
        self._trade()
        self._look()
        self._wait_for_prices()
        self._settle()
        self._lose()
        self._maintain()
        self.me.hear()
        self.weak.hear()
        return self.answers

    def _run(self, by_ms: int) -> None:
        until_ms = self.board.now_ms + by_ms
        while self.board.now_ms < until_ms:
            self.board.advance(min(until_ms, self.board.now_ms + 10_000))

    def _px(self, times: str, inst_id: str = SWAP) -> str:
        """A price so many times the last one, on the tick."""
        tick = self.venue.instruments[inst_id].tick
        return str(self.venue.markets[inst_id].last * Decimal(times) // tick * tick)

    def _listen(self) -> None:
        me = self.me
        me.stream(
            "public",
            *({"channel": name, "instId": SPOT} for name in ("books", "books-l2-tbt", "index-tickers")),
            *({"channel": "books50-l2-tbt", "instId": SWAP}, {"channel": "status"}),
            *({"channel": name, "instId": SWAP} for name in ("bbo-tbt", "books5", "tickers", "trades")),
            *({"channel": name, "instId": SWAP} for name in ("mark-price", "price-limit", "funding-rate")),
            *({"channel": name, "instId": SWAP} for name in ("open-interest",)),
            *({"channel": name, "instType": "SWAP"} for name in ("instruments", "liquidation-orders")),
            {"channel": "adl-warning", "instType": "SWAP"},
        )
        names = ("candle1m", "mark-price-candle1m", "trades-all")
        candles = [{"channel": name, "instId": SWAP} for name in names]
        me.stream(
            "business",
            *candles,
            {"channel": "index-candle1m", "instId": SPOT},
            {"channel": "orders-algo", "instType": "ANY"},
            {"channel": "nonsense"},
        )
        own = [
            {"channel": name, "instType": "ANY"} for name in ("orders", "positions", "liquidation-warning")
        ]
        own += [{"channel": "account"}, {"channel": "balance_and_position"}]
        self.private = me.stream("private", *own)
        self.weak.stream("private", *own)

    def _trade(self) -> None:
        me, px = self.me, self._px
        me.get("/account/config")
        me.post("/account/set-position-mode", {"posMode": "net_mode"})
        me.post("/account/set-account-level", {"acctLv": "2"})
        me.post("/account/set-leverage", {"instId": SWAP, "lever": "5", "mgnMode": "cross"})
        me.post("/trade/order", order("sell", "ioc", "100", px("0.99")))
        me.post("/trade/order", order("buy", "market", "1000", inst_id=SPOT, tgtCcy="quote_ccy"))
        me.post("/trade/order", order("buy", "limit", "0.1", px("0.99", SPOT), SPOT, clOrdId="rest1"))
        me.post("/trade/order", order("sell", "limit", "1", px("1.015"), clOrdId="rest2"))
        bids = [order("buy", "limit", "1", px("0.985"), clOrdId=f"b{n}") for n in (1, 2)]
        me.post("/trade/batch-orders", bids)
        me.post("/trade/amend-order", {"instId": SWAP, "clOrdId": "rest2", "newSz": "2", "reqId": "r1"})
        me.post("/trade/amend-batch-orders", [{"instId": SWAP, "clOrdId": "b1", "newSz": "2"}])
        me.get("/trade/order", instId=SWAP, clOrdId="rest2")
        me.get("/trade/orders-pending")
        me.post("/trade/cancel-order", {"instId": SWAP, "clOrdId": "b1"})
        me.post("/trade/cancel-batch-orders", [{"instId": SWAP, "clOrdId": "b2"}])
        me.post("/trade/cancel-all-after", {"timeOut": "0"})
        me.post("/asset/transfer", {"ccy": "USDT", "amt": "100", "from": "18", "to": "6", "clientId": "t1"})
        self._run(10 * MINUTE_MS)
        me.get("/asset/transfer-state", clientId="t1")
        self._operate()

    def _operate(self) -> None:
        """The same over the stream, where an order names its instrument by its number."""
        code = self.venue.instruments[SWAP].code
        bid = {**order("buy", "limit", "1", self._px("0.985")), "instIdCode": code}
        del bid["instId"]
        for n, (op, args) in enumerate(
            (
                ("order", [{**bid, "clOrdId": "w1"}]),
                ("batch-orders", [{**bid, "clOrdId": "w2"}]),
                ("amend-order", [{"instId": SWAP, "clOrdId": "w1", "newSz": "2"}]),
                ("batch-amend-orders", [{"instId": SWAP, "clOrdId": "w2", "newSz": "2"}]),
                ("cancel-order", [{"instId": SWAP, "clOrdId": "w1"}]),
                ("batch-cancel-orders", [{"instId": SWAP, "clOrdId": "w2"}]),
            )
        ):
            self.private.say(json.dumps({"id": str(n), "op": op, "args": args}))

    def _look(self) -> None:
        me = self.me
        for path in ("/public/instruments", "/account/instruments"):
            for inst_type in ("SPOT", "SWAP"):
                me.get(path, instType=inst_type)
        me.get("/public/time")
        me.get("/public/underlying", instType="SWAP")
        me.get("/public/funding-rate", instId="ANY")
        me.get("/public/funding-rate-history", instId=SWAP)
        me.get("/public/mark-price", instType="SWAP")
        me.get("/public/price-limit", instId=SWAP)
        me.get("/public/open-interest", instType="SWAP")
        me.get("/rubik/stat/contracts/open-interest-history", instId=SWAP, period="1H", limit=2)
        me.get("/public/position-tiers", instType="SWAP", tdMode="cross", instFamily=SPOT)
        me.get("/public/discount-rate-interest-free-quota", ccy="BTC")
        for path in ("ticker", "books", "books-full", "trades", "history-trades"):
            me.get(f"/market/{path}", instId=SWAP)
        me.get("/market/tickers", instType="SWAP")
        me.get("/market/index-tickers", instId=SPOT)
        for path in ("candles", "history-candles", "mark-price-candles", "history-mark-price-candles"):
            me.get(f"/market/{path}", instId=SWAP, limit=2)
        for path in ("index-candles", "history-index-candles"):
            me.get(f"/market/{path}", instId=SPOT, limit=2)
        for path in ("balance", "positions", "account-position-risk"):
            me.get(f"/account/{path}")
        me.get("/account/leverage-info", instId=SWAP, mgnMode="cross")
        me.get("/account/max-size", instId=SWAP, tdMode="cross")
        me.get("/account/max-avail-size", instId=SWAP, tdMode="cross")
        me.get("/account/max-withdrawal", ccy="USDT")
        me.get("/public/insurance-fund", instType="SWAP", instFamily=SPOT)
        me.get("/account/interest-rate", ccy="USDT")
        me.get("/account/interest-limits", ccy="USDT")
        me.get("/account/max-loan", instId=SPOT, mgnMode="cross")
        me.get("/account/set-account-switch-precheck", acctLv="3")
        me.post("/account/account-level-switch-preset", {"acctLv": "3"})
        for inst_type in ("SPOT", "SWAP"):
            me.get("/account/trade-fee", instType=inst_type)
        for path in ("balances", "currencies", "deposit-history", "withdrawal-history"):
            me.get(f"/asset/{path}")

    def _wait_for_prices(self) -> None:
        """Algo orders: pending, amended, cancelled, triggered; and one that hangs on a normal order."""
        me, px = self.me, self._px
        stop = {"slTriggerPx": px("1.3"), "slOrdPx": "-1", "tpTriggerPx": px("0.7"), "tpOrdPx": "-1"}
        base = {"instId": SWAP, "tdMode": "cross", "side": "buy", "sz": "1", "reduceOnly": True}
        [ack] = me.post("/trade/order-algo", {**base, "ordType": "oco", **stop})
        trailing = {**base, "ordType": "move_order_stop", "callbackRatio": "0.2", "algoClOrdId": "trail1"}
        me.post("/trade/order-algo", trailing)
        now = {**base, "ordType": "trigger", "triggerPx": px("1.00001"), "orderPx": "-1", "reduceOnly": False}
        [triggered] = me.post("/trade/order-algo", now)
        me.get("/trade/order-algo", algoId=ack["algoId"])
        for kind in ("oco", "move_order_stop"):
            me.get("/trade/orders-algo-pending", ordType=kind)
        me.post("/trade/amend-algos", {"instId": SWAP, "algoId": ack["algoId"], "newSz": "2"})
        me.post("/trade/cancel-algos", [{"instId": SWAP, "algoId": ack["algoId"]}])
        me.get("/trade/orders-algo-history", ordType="oco", state="canceled")
        attached = [{"attachAlgoClOrdId": "hang1", "slTriggerPx": px("1.3"), "slOrdPx": "-1"}]
        me.post(
            "/trade/order", order("sell", "limit", "1", px("1.015"), attachAlgoOrds=attached, clOrdId="hung")
        )
        me.get("/trade/orders-pending")
        me.post("/trade/cancel-order", {"instId": SWAP, "clOrdId": "hung"})
        me.get("/trade/orders-history", instType="SWAP")
        self._run(2 * HOUR_MS)
        me.get("/trade/order-algo", algoId=triggered["algoId"])

    def _settle(self) -> None:
        """Past the next settlement, then out of the position."""
        me = self.me
        self._run(9 * HOUR_MS)
        me.get("/account/bills")
        me.get("/account/bills-archive")
        me.post("/trade/close-position", {"instId": SWAP, "mgnMode": "cross", "autoCxl": True, "tag": "x"})
        for path in ("orders-history", "orders-history-archive"):
            me.get(f"/trade/{path}", instType="SWAP")
        me.get("/trade/fills")
        me.get("/trade/fills-history", instType="SWAP")
        me.get("/account/positions-history")
        me.get("/account/interest-accrued")
        me.post("/trade/order", order("sell", "ioc", "5", self._px("0.99"), tdMode="isolated"))
        me.post(
            "/account/position/margin-balance", {"instId": SWAP, "posSide": "net", "type": "add", "amt": "10"}
        )

    def _lose(self) -> None:
        """A short that is deleveraged in part, warned of, and taken over."""
        account = self.venue.accounts["weak"]
        self.weak.post("/trade/order", order("sell", "ioc", "50", self._px("0.99")))
        self.edits.force_adl(account, SWAP, Decimal("0.1"))
        self._run(MINUTE_MS)
        mmr = sum((coin.mmr for coin in self.venue.figures(account).coins.values()), Decimal(0))
        self.edits.set_cash(account, "USDT", mmr * 3)
        self._run(15 * MINUTE_MS)
        self.edits.set_cash(account, "USDT", mmr / 2)
        self._run(15 * MINUTE_MS)

    def _maintain(self) -> None:
        """A maintenance of the streams, announced, which then ends them."""
        begin_ms = self.board.now_ms + 2 * MINUTE_MS
        window = {"title": "Upgrade", "state": "scheduled", "serviceType": "0"}
        window |= {"begin": str(begin_ms), "end": str(begin_ms + HOUR_MS)}
        self.venue.maintenance.append(window)
        self.venue.outbox.append(StatusChanged())
        self.me.get("/system/status")
        self.edits.set_expiry(SWAP, self.board.now_ms + 48 * HOUR_MS)
        self._run(3 * MINUTE_MS)
