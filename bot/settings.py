"""Settings of one installation, read once, in the composition root."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///var/leadline.db"
VENUES = frozenset({"kraken", "coinbase", "bitstamp", "binance"})


class Settings(BaseSettings):
    """What ``.env`` and the environment may say; importing this reads neither."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        # DISCORD_TOKEN= as in .env.example must not hide a token that is handed over as a file.
        env_ignore_empty=True,
        extra="ignore",
    )

    discord_token: SecretStr | None = Field(
        None, description="The bot's token. Empty: no Discord, the preview page opens instead."
    )
    database_url: str = Field(
        DEFAULT_DATABASE_URL, description="Where everything is kept: a path or an SQLAlchemy address."
    )
    dev_guild_id: int | None = Field(
        None, description="Sync commands to this one server at once. Empty: to all servers."
    )
    port: int = Field(
        8777, ge=0, le=65535, description="Port of the preview page on this machine; 0 takes a free one."
    )
    fetch: bool = Field(
        default=True,
        description="Whether a running bot fetches prices, fund flows and macro figures from public sources by itself.",
    )
    price_venues: str = Field(
        "kraken,coinbase,bitstamp,binance",
        description="Which venue's bitcoin and ether prices answer, best first; the next one does while one is stale.",
    )
    fred_api_key: SecretStr | None = Field(
        None, description="A free key of FRED. Empty: the same figures from its graph pages."
    )
    sosovalue_api_key: SecretStr | None = Field(
        None, description="A key of SoSoValue for ETF flows. Empty: asked without, as long as it answers."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much is logged: DEBUG, INFO, WARNING or ERROR."
    )

    localized_command_names: bool = Field(
        default=False,
        description="Chinese names of commands and options for readers of Chinese: true or false.",
    )

    @property
    def venues(self) -> tuple[str, ...]:
        """``price_venues`` one by one."""
        return tuple(name.strip() for name in self.price_venues.split(",") if name.strip())

    @field_validator("price_venues")
    @classmethod
    def _known_venues(cls, value: str) -> str:
        if unknown := {name.strip().casefold() for name in value.split(",") if name.strip()} - VENUES:
            raise ValueError(f"unknown venues: {', '.join(sorted(unknown))}")
        return value

    @field_validator("discord_token", "dev_guild_id", "fred_api_key", "sosovalue_api_key", mode="before")
    @classmethod
    def _empty_means_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("database_url")
    @classmethod
    def _a_path_is_an_address_too(cls, value: str) -> str:
        return database_url(value)


def database_url(text: str) -> str:
    """A plain path, or ``sqlite:///``, becomes the address the async store opens."""
    if "://" not in text:
        return f"sqlite+aiosqlite:///{text}"
    return text.replace("sqlite://", "sqlite+aiosqlite://", 1) if text.startswith("sqlite://") else text
