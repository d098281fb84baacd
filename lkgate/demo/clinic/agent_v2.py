"""The clinic's intake agent: warmer words, and quicker to answer."""

from __future__ import annotations

from intake import phrases
from intake.session import AGENT_NAME, new_server, take_call
from intake.settings import Settings
from livekit.agents import JobContext, cli

SETTINGS = Settings(
    greeting="Good day, you have reached Harbour Street Clinic. What can I do for you?",
    phrases={
        **phrases.PHRASES,
        "confirm_book": "So that is {day} at {time} for {patient}. Would you like me to book it?",
        "booked": (
            "All done: {day} at {time} is yours. Your reference number is {reference}. "
            "Please come ten minutes early and bring your insurance card. Anything else?"
        ),
    },
    endpointing_s=0.7,
)

server = new_server()


@server.rtc_session(agent_name=AGENT_NAME)
async def answer(ctx: JobContext) -> None:
    await take_call(ctx, SETTINGS)


if __name__ == "__main__":
    cli.run_app(server)
