"""The preview page's own protocol, spoken without a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass
class Page:
    """One page, as its reader would use it."""

    http: aiohttp.ClientSession
    url: str
    state: dict[str, Any] = field(default_factory=dict)
    sequence: int = 0

    async def call(self, method: str, path: str, body: object = None) -> Any:
        origin, _, secret = self.url.partition("#")
        headers = {"X-Simcord-Capability": secret}
        if self.state:
            headers["X-Simcord-Context"] = self.state["context"]["id"]
        async with self.http.request(method, origin + path, json=body, headers=headers) as response:
            response.raise_for_status()
            return await response.json()

    async def open(self) -> None:
        self.state = await self.call("POST", "api/pages", {})

    async def look(self) -> dict[str, Any]:
        self.state = await self.call("GET", "api/state")
        return self.state

    def said(self) -> list[str]:
        return [message["content"] for message in self.state["messages"].values()]

    async def act(self, kind: str, **fields: object) -> dict[str, Any]:
        await self.look()
        self.sequence += 1
        answer: dict[str, Any] = await self.call(
            "POST",
            "api/action",
            {
                "protocol_version": 3,
                "kind": kind,
                "sequence": self.sequence,
                "request_id": f"r{self.sequence}",
                "generation": self.state["context"]["generation"],
                "bot_generation": self.state["botGeneration"],
                "published_revision": self.state["publishedRevision"],
                **fields,
            },
        )
        assert not answer["rejected"], answer["diagnostics"]
        return answer

    async def see_as(self, name: str) -> None:
        viewer = next(viewer for viewer in self.state["viewers"] if viewer["name"].startswith(name))
        await self.act("viewer", viewer_id=viewer["id"])

    async def show(self) -> dict[str, Any]:
        return await self.run("show")

    async def run(self, *path: str, **options: object) -> dict[str, Any]:
        """Runs a command by its whole name."""
        entries = (await self.call("GET", "api/commands"))["entries"]
        [entry] = [entry for entry in entries if entry["path"] == list(path)]
        return await self.act(
            "run_command",
            command_id=entry["commandId"],
            path=list(path),
            options=options,
            schema_fingerprint=entry["schemaFingerprint"],
        )
