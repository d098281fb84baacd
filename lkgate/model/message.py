"""What LiveKit's session measures of a message in the conversation, by its own names."""

from __future__ import annotations

MEASURED = (
    "transcription_delay",
    "end_of_turn_delay",
    "on_user_turn_completed_delay",
    "llm_node_ttft",
    "llm_node_tps",
    "llm_node_ttfs",
    "tts_node_ttfb",
    "e2e_latency",
)
# LiveKit's own marks for "not measured" (metrics/base.py, voice/audio_recognition.py).
UNMEASURED: dict[str, float] = {
    "llm_node_ttft": -1.0,
    "transcription_delay": 0.0,
    "end_of_turn_delay": 0.0,
}
