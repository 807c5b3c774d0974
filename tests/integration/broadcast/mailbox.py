"""A real mail server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "pa55word-of-the-mailbox"


class Mailbox:
    """A mail server: keeps what it takes, and answers what the test wants."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answer = "250 OK"
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
        return self.answer

    def authenticate(self, *given: Any) -> AuthResult:
        data = given[-1]
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    @property
    def mails(self) -> list[EmailMessage]:
        parsed = [email.message_from_bytes(one.content or b"", policy=email.policy.default) for one in self.envelopes]
        return [one for one in parsed if isinstance(one, EmailMessage)]


@contextlib.asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    found = Mailbox()

    def protocol() -> SMTP:
        return SMTP(found, hostname="mail.example", authenticator=found.authenticate, auth_require_tls=False)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


def mailto(mailbox: Mailbox, password: str = PASSWORD) -> str:
    """The mailbox in Apprise's form."""
    return f"mailto://duty:{password}@127.0.0.1:{mailbox.port}?from=firewatch@example.org&to=li@example.org"
