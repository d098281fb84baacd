"""Who is who in a room."""

from __future__ import annotations

from livekit import rtc

from lkgate.model.bundle import Role

# The name under which livekit-agents' BackgroundAudioPlayer publishes: music, typing, room tone.
BACKGROUND_AUDIO = "background_audio"


class RoleOf:
    """Gives every participant its role, and every audio track the role of its voice.

    Participants of kind AGENT are ``agent``. Of the rest, ``caller`` is the one whose identity
    was named, or else the first one whose audio is heard (a dashboard that only listens is not);
    further ones are ``other``. Egress is nobody: a recorder is not part of the call.
    """

    def __init__(self, caller: str | None = None):
        self._caller = caller

    def participant(self, participant: rtc.Participant) -> Role | None:
        """The participant's role as far as it is known; ``None`` for one that is not recorded."""
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS:
            return None
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return "agent"
        return "caller" if self._caller in (None, participant.identity) else "other"

    def track(self, participant: rtc.Participant, publication: rtc.TrackPublication) -> Role | None:
        """The role of an audio track. An agent's background audio is ``other``: nobody's words."""
        role = self.participant(participant)
        if role == "agent" and publication.name == BACKGROUND_AUDIO:
            return "other"
        if role == "caller":
            self._caller = participant.identity
        return role
