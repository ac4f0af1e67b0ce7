"""monitor.yaml: the human side."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.section import HttpUrl, Section

Level = Literal["info", "warning", "critical"]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")]


class Telegram(Section):
    """Token from TELEGRAM_BOT_TOKEN (or its _FILE), never from here."""

    enabled: bool = False
    chat_ids: tuple[int, ...] = ()
    user_ids: tuple[int, ...] = ()
    commands: bool = True
    min_level: Level = "info"
    base_url: Annotated[HttpUrl | None, Field(description="another API server, for tests")] = None

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.enabled and not self.chat_ids:
            raise ValueError("telegram.enabled needs at least one chat id in chat_ids")
        return self


class DingTalk(Section):
    """Webhook from DINGTALK_WEBHOOK and secret from DINGTALK_SECRET (or their _FILE)."""

    enabled: bool = False
    keyword: Annotated[str | None, Field(pattern=r"^\S.{0,48}\S$|^\S$")] = None
    min_level: Level = "info"


class Email(Section):
    """Password from SMTP_PASSWORD (or its _FILE), never from here."""

    enabled: bool = False
    host: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z.:-]{1,253}$")] = None
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Annotated[str | None, Field(pattern=r"^\S+$")] = None
    sender: Annotated[Address | None, Field(description="an address")] = None
    recipients: tuple[Address, ...] = ()
    min_level: Level = "warning"

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.enabled and not (self.host and self.sender and self.recipients):
            raise ValueError("email.enabled needs host, sender and at least one address in recipients")
        if self.security == "none" and self.user is not None:
            raise ValueError("email.user with security none would send the password in the clear")
        return self


class Receiver(Section):
    """Secret from WEBHOOK_SECRET (or its _FILE), never from here."""

    enabled: bool = False
    url: HttpUrl | None = None
    min_level: Level = "info"

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.enabled and self.url is None:
            raise ValueError("receiver.enabled needs url")
        return self


class Web(Section):
    """The daemon's HTTP API. Its token comes from WEB_TOKEN (or its _FILE), never from here."""

    enabled: bool = True
    host: Annotated[str, Field(pattern=r"^[0-9A-Za-z.:-]{1,253}$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="0 takes any free one")] = 8788
    names: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9A-Za-z.:-]{1,253}$")], ...],
        Field(description="other names this host is called by, without port"),
    ] = ()

    @property
    def is_private(self) -> bool:
        """Whether only this host can reach it."""
        return self.host in ("127.0.0.1", "::1", "localhost")


class BackupPlan(Section):
    """Copies of the journal the daemon makes by itself, in live and dry-run mode."""

    every_hours: Annotated[Decimal, Field(ge=0, le=720, description="0 makes none")] = Decimal(24)
    keep: Annotated[int, Field(ge=1, le=1000, description="so many stay, the oldest goes")] = 14
    folder: Annotated[
        str | None, Field(description="where they go; null takes backups/ in the data folder")
    ] = None


class Monitor(Section):
    """What people see and are told, and the copies that are kept."""

    language: Literal["en", "zh"] = "en"
    telegram: Telegram = Telegram()
    dingtalk: DingTalk = DingTalk()
    email: Email = Email()
    receiver: Receiver = Receiver()
    quiet_hours: Annotated[
        str | None, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    ] = None
    daily_report_hour: Annotated[int | None, Field(ge=0, le=23)] = 0
    web: Web = Web()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    keep_logs_days: Annotated[int, Field(ge=1, le=3650)] = 30
    max_log_mb: Annotated[
        int, Field(ge=1, le=10_000, description="MB of one log file; a full one is followed by another")
    ] = 50
    backup: BackupPlan = BackupPlan()
