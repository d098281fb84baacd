"""What is said and what LiveKit keeps of the conversation are not the same."""

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, StopResponse, cli

from scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS

server = AgentServer()


class Host(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are the host of a restaurant.")

    async def on_enter(self) -> None:
        await self.session.say("Calls are recorded.", add_to_chat_ctx=False)
        self.session.generate_reply(user_input="The caller has just come in.")

    async def on_user_turn_completed(self, turn_ctx, new_message) -> None:
        if "moment" in new_message.text_content:
            raise StopResponse
        new_message.content = [f"[table 7] {new_message.text_content}"]


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    session = AgentSession(
        stt=ScriptedSTT(["I want a table.", "Wait a moment.", "Good bye."]),
        llm=ScriptedLLM([("table 7", "It is yours.")], otherwise="Good evening."),
        tts=ScriptedTTS(),
    )
    await session.start(agent=Host(), room=ctx.room)
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
