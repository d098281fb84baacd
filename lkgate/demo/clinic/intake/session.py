"""One call, from the caller's arrival to the end of the session."""

from __future__ import annotations

from livekit.agents import (
    AgentServer,
    AgentSession,
    CloseEvent,
    JobContext,
    JobProcess,
    TurnHandlingOptions,
    UserStateChangedEvent,
    inference,
)

from intake import phrases
from intake.agents import Call, Receptionist
from intake.clinic import Clinic
from intake.plugins.hibari_tts import HibariTTS
from intake.plugins.intent_llm import IntentLLM
from intake.plugins.moonshine_stt import MoonshineSTT
from intake.settings import Settings

AGENT_NAME = "clinic-intake"
CALLS_AT_ONCE = 4


def new_server() -> AgentServer:
    """A worker that counts calls, not CPU, and keeps one process warm."""
    server = AgentServer(
        load_fnc=lambda s: len(s.active_jobs) / CALLS_AT_ONCE, num_idle_processes=1
    )
    server.setup_fnc = prewarm
    return server


def prewarm(process: JobProcess) -> None:
    process.userdata["vad"] = inference.VAD()


async def take_call(ctx: JobContext, settings: Settings) -> None:
    """Answers one call."""
    session: AgentSession[Call] = AgentSession(
        userdata=Call(Clinic(), settings),
        stt=MoonshineSTT(),
        llm=IntentLLM(settings.phrases),
        tts=HibariTTS(),
        vad=ctx.proc.userdata["vad"],
        turn_handling=turn_handling(settings),
        # nobody hears himself on this line, so there is no echo canceller to wait for
        aec_warmup_duration=None,
        user_away_timeout=9.0,
    )

    @session.on("user_state_changed")
    def reassure(event: UserStateChangedEvent) -> None:
        if event.new_state == "away":
            session.say(phrases.STILL_HERE)

    @session.on("close")
    def hang_up(_: CloseEvent) -> None:
        ctx.shutdown("the caller has left")

    await session.start(agent=Receptionist(settings), room=ctx.room)
    await ctx.connect()


def turn_handling(settings: Settings) -> TurnHandlingOptions:
    """When the caller's turn is over, and what happens when the caller talks over the agent."""
    return TurnHandlingOptions(
        # The small local detector is often unsure of slow or synthetic voices: it may hold a turn
        # open only where it is nearly certain that more is coming. Otherwise the delay decides.
        turn_detection=inference.TurnDetector(version="v1-mini", unlikely_threshold=0.1),
        endpointing={"mode": "fixed", "min_delay": settings.endpointing_s, "max_delay": 3.0},
        interruption={
            "enabled": settings.interruptible,
            "mode": "vad",
            "min_duration": 0.4,
            "discard_audio_if_uninterruptible": False,
        },
    )
