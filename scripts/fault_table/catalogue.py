"""What can go wrong, by id: every scenario that a test must play or a reason must answer for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Group:
    """Scenarios that belong together, by id with a short name each."""

    title: str
    scenarios: dict[str, str]


GROUPS: Final = (
    Group(
        "Market data",
        {
            "MD1": "the book stands still, the socket lives",
            "MD2": "a gap in the sequence of book changes",
            "MD3": "books without a checksum",
            "MD4": "the sequence starts again",
            "MD5": "a crossed, one-sided or empty book",
            "MD6": "a wick, or a single bad price",
            "MD7": "the swap far from its spot",
            "MD8": "a book too thin for the order",
            "MD9": "pushes repeated or out of order",
            "MD10": "fields, events and values nobody knows",
        },
    ),
    Group(
        "Requests",
        {
            "RE1": "the order was taken, its answer is lost",
            "RE2": "the venue itself does not know the outcome",
            "RE3": "a gateway's error page",
            "RE4": "success on top, refusal in the item",
            "RE5": "a connection closed with a request under way",
            "RE6": "a request that goes on after its caller gave up",
            "RE7": "slow queries that take up every connection",
            "RE8": "an accepted order that cannot be seen yet",
            "RE9": "an order called missing in an outage, filled later",
            "RE10": "more rows than one page holds",
            "RE11": "empty texts and null lists",
            "RE12": "a failed query that looks like an empty account",
            "RE13": "no name, no route, no connection",
        },
    ),
    Group(
        "Streams",
        {
            "WS1": "silence that the venue would take for absence",
            "WS2": "a login refused or unanswered",
            "WS3": "a half-open connection",
            "WS4": "a clean close",
            "WS5": "the notice of a service upgrade",
            "WS6": "a fill while the stream was away",
            "WS7": "a fill before the answer to its order",
            "WS8": "one fill told twice, by stream and by query",
            "WS9": "a consumer slower than the stream",
            "WS10": "a subscription refused or unanswered",
            "WS11": "connections refused again and again",
            "WS12": "a handler that raises",
        },
    ),
    Group(
        "Keys and clocks",
        {
            "AU1": "this host's clock is off",
            "AU2": "the clock is set while running",
            "AU3": "the key is revoked or loses a permission",
            "AU4": "demo and live mixed up",
            "AU5": "a wrong passphrase",
            "AU6": "the host slept for hours",
        },
    ),
    Group(
        "Orders and legs",
        {
            "OL1": "spot bought, the short refused",
            "OL2": "one leg filled, the other left behind by the price",
            "OL3": "a size below the smallest order",
            "OL4": "an opening asked for again while it runs",
            "OL5": "a stop between the two legs",
            "OL6": "a stop that waits behind slow work",
            "OL7": "a part filled, then nothing",
            "OL8": "a cancel races a fill",
            "OL9": "the client id was used before: the first request arrived",
            "OL10": "a client id the venue does not take",
            "OL11": "one order sent by two tasks",
            "OL12": "an order that finds nobody to trade with",
            "OL13": "a size in the wrong unit",
            "OL14": "a close of a position that is gone",
            "OL15": "the venue makes an order smaller",
            "OL16": "open, close, open at a flickering threshold",
            "OL17": "own orders that meet each other",
        },
    ),
    Group(
        "Quantities and fees",
        {
            "QT1": "the fee is taken in the coin bought",
            "QT2": "contracts that are not one coin",
            "QT3": "the contract changes while it is held",
            "QT4": "decimals that binary fractions would spoil",
            "QT5": "dust that adds up over rounds",
            "QT6": "a rebate, another fee level, a fee in a third coin",
            "QT7": "tiers read in the wrong unit",
            "QT8": "an order larger than the venue allows",
        },
    ),
    Group(
        "Margin, liquidation, deleveraging",
        {
            "MG1": "a rally eats the margin of the short",
            "MG2": "the top-up is refused",
            "MG3": "a part of the short is liquidated",
            "MG4": "the short is liquidated whole",
            "MG5": "the winning short is taken in a crash",
            "MG6": "the short was taken and may not be sold again",
            "MG7": "collateral that loses its worth",
            "MG8": "a loan nobody asked for",
            "MG9": "leverage changed from outside",
            "MG10": "isolated beside cross: a second position",
        },
    ),
    Group(
        "Funding",
        {
            "FU1": "the sign flips just before the settlement",
            "FU2": "another interval",
            "FU3": "estimate and settled rate differ",
            "FU4": "the bill comes late",
            "FU5": "the bill comes twice, or while nobody was there",
            "FU6": "orders refused during the settlement",
            "FU7": "an extreme rate",
            "FU8": "an opening too close to the settlement",
        },
    ),
    Group(
        "The venue and its limits",
        {
            "VE1": "announced maintenance",
            "VE2": "trading stops, reading goes on",
            "VE3": "orders come back step by step after a halt",
            "VE4": "a delisting is announced",
            "VE5": "the instrument is gone while held",
            "VE6": "one leg is suspended",
            "VE7": "a coin under a new name",
            "PB1": "a price outside the venue's bounds",
            "PB2": "refused by the venue's slippage protection",
            "RL1": "too many requests",
            "RL2": "a limit shared with somebody else",
            "RL3": "banned at the edge, or shown a captcha",
        },
    ),
    Group(
        "An account somebody else touches",
        {
            "AC1": "the position mode is switched",
            "AC2": "the account mode is switched",
            "AC3": "a switch of mode that the venue refuses",
            "MI1": "spot sold by hand",
            "MI2": "the short closed by hand",
            "MI3": "a position that is not the engine's",
            "MI4": "our order cancelled by hand",
            "MI5": "money in or out",
            "TR1": "the answer to a transfer is lost",
            "TR2": "a transfer that cannot be seen yet",
        },
    ),
    Group(
        "Crashes and restarts",
        {
            "CR1": "killed between meaning and sending",
            "CR2": "killed between sending and the answer",
            "CR3": "killed with one leg filled",
            "CR4": "a crash loop",
            "CR5": "an old fill, a new hedge",
            "CR6": "SIGTERM in the middle of an opening",
            "CR7": "SIGKILL, or the power fails",
            "CR8": "SIGHUP and SIGINT",
            "CR9": "a task dies silently or hangs",
            "CR10": "the event loop is blocked",
            "CR11": "a journal of a newer version",
            "CR12": "close_all beside a daemon, alive, deaf or dead",
        },
    ),
    Group(
        "Storage",
        {
            "DB1": "the disk is full",
            "DB2": "I/O errors, a read-only file system",
            "DB3": "the database is locked by somebody else",
            "DB4": "a damaged journal",
            "DB5": "a write whose waiter was cancelled",
            "DB6": "an old backup put back",
            "DB7": "the journal deleted while hedges are held",
        },
    ),
    Group(
        "Instances, schedule, host",
        {
            "IN1": "two engines on one folder or account",
            "IN2": "two hosts on one account",
            "SC1": "a tick comes too late",
            "SC2": "ticks while the last one is worked on",
            "SC3": "time zones and summer time",
            "SC4": "the clock steps back at a settlement",
            "SC5": "a clock that drifts",
            "HO1": "memory or files that leak",
        },
    ),
    Group(
        "Messages, configuration, secrets, libraries",
        {
            "NO1": "Telegram or DingTalk is down",
            "NO2": "the message service says too many",
            "NO3": "a command from a stranger",
            "CF1": "a value of the wrong type, a key twice",
            "CF2": "values that contradict each other",
            "CF3": "the configuration edited while running",
            "CF4": "a hedge whose coin left the configuration",
            "SE1": "a secret in a log, a message, an error",
            "SE2": "a key file others can read, or in the repository",
            "SE3": "a key that may withdraw",
            "DA1": "a web page open to the network",
            "DA2": "a browser made to send commands",
            "DA3": "many or slow viewers",
            "DP1": "a library raises what nobody expected",
            "DP2": "a library changes under us",
            "DP3": "a library that chatters",
            "ST1": "an auxiliary strategy that raises or hangs",
        },
    ),
)  # fmt: skip

SCENARIOS: Final[dict[str, str]] = {name: text for group in GROUPS for name, text in group.scenarios.items()}
