"""What a telephone agent asks of its room: who calls from where, data, RPC, keys, attributes."""

import json
import logging

from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

logger = logging.getLogger("telephony")
server = AgentServer()


async def greet(ctx: JobContext, participant: rtc.RemoteParticipant) -> None:
    logger.info("entrypoint of %s", participant.identity)


@server.rtc_session()
async def answer(ctx: JobContext) -> None:
    ctx.add_participant_entrypoint(greet)
    ctx.room.on("participant_disconnected", lambda who: logger.info("%s left", who.identity))
    await ctx.connect()
    caller = await ctx.wait_for_participant()
    logger.info(
        "a %s call from %s",
        rtc.ParticipantKind.Name(caller.kind),
        caller.attributes["sip.phoneNumber"],
    )
    assert ctx.token_claims().identity == ctx.room.local_participant.identity
    assert ctx.job.room.name == ctx.room.name
    logger.info("the room's sid is %s, its metadata %r", await ctx.room.sid, ctx.room.metadata)

    session = AgentSession(stt=ScriptedSTT(["Hi."]), llm=ScriptedLLM([]), tts=ScriptedTTS())
    await session.start(agent=Agent(instructions="Be kind."), room=ctx.room)
    own = ctx.room.local_participant

    @own.register_rpc_method("who_are_you")
    async def who(data: rtc.RpcInvocationData) -> str:
        return "an agent"

    try:
        await own.perform_rpc(
            destination_identity=caller.identity, method="get_location", payload="{}"
        )
    except rtc.RpcError as error:
        logger.info("location: %s %s", error.code, error.message)
    await own.set_attributes({"department": "billing"})
    await own.publish_data(json.dumps({"card": "shown"}), reliable=True, topic="ui")
    await own.send_text("Your ticket is 12.", topic="lk.chat")
    await own.publish_dtmf(code=5, digit="5")
    stats = await ctx.room.get_rtc_stats()
    logger.info("stats: %s", type(stats).__name__)
    handle = session.say("Which number do you call about?")
    await handle.wait_for_playout()
    logger.info("said, interrupted: %s", handle.interrupted)


if __name__ == "__main__":
    cli.run_app(server)
