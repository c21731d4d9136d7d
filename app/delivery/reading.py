"""Tells the platform which chats were read here: outside of every limit, and after everything that is in a hurry."""

import logging

from app.accounts.connection import Keys, KeyUnreadable
from app.conversations import reading
from app.conversations.reading import ReadMark
from app.gateways.answers import CallFailed, Login
from app.gateways.platform import Platform

log = logging.getLogger(__name__)


def tell_once(platform: Platform, keys: Keys) -> int:
    """Mark some chats as read; how many. After a call that failed, the others wait for their next turn."""
    marks = reading.claim()
    for done, mark in enumerate(marks):
        try:
            _tell(platform, keys, mark)
        except CallFailed as error:
            log.warning("chat_left_unread", extra={"conversationId": mark.conversation_id, "reason": error.reason})
            return done
    return len(marks)


def _tell(platform: Platform, keys: Keys, mark: ReadMark) -> None:
    try:
        platform.mark_read(Login(mark.platform_account, keys.decrypt(mark.api_key_encrypted)), mark.chat)
    except KeyUnreadable:
        log.warning("key_unreadable", extra={"conversationId": mark.conversation_id})
        return
    except CallFailed as error:
        if not error.final:
            raise
        log.info("chat_unknown", extra={"conversationId": mark.conversation_id, "reason": error.reason})
    reading.told(mark)
