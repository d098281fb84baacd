"""Keys that providers' classes want to see when they are made, although nobody will be asked."""

from __future__ import annotations

from collections.abc import Mapping

from lkgate.secret import Secrets

_NONE = "lkgate-no-key"

_KEYS = (
    "ANTHROPIC_API_KEY",
    "ASSEMBLYAI_API_KEY",
    "ASYNCAI_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "AZURE_SPEECH_KEY",
    "BASETEN_API_KEY",
    "CAMB_API_KEY",
    "CARTESIA_API_KEY",
    "CEREBRAS_API_KEY",
    "CLOVA_STT_SECRET_KEY",
    "DEEPGRAM_API_KEY",
    "DEEPSEEK_API_KEY",
    "ELEVEN_API_KEY",
    "FAL_KEY",
    "FIREWORKS_API_KEY",
    "FISH_API_KEY",
    "GEMINI_API_KEY",
    "GLADIA_API_KEY",
    "GOOGLE_API_KEY",
    "GRADIUM_API_KEY",
    "GROQ_API_KEY",
    "HUME_API_KEY",
    "INWORLD_API_KEY",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
    "LMNT_API_KEY",
    "MINIMAX_API_KEY",
    "MISTRAL_API_KEY",
    "MURF_API_KEY",
    "NEUPHONIC_API_KEY",
    "OPENAI_API_KEY",
    "OPENROUTER_API_KEY",
    "PERPLEXITY_API_KEY",
    "RESEMBLE_API_KEY",
    "RIME_API_KEY",
    "SARVAM_API_KEY",
    "SMALLEST_API_KEY",
    "SONIOX_API_KEY",
    "SPEECHIFY_API_KEY",
    "SPEECHMATICS_API_KEY",
    "SPITCH_API_KEY",
    "TELNYX_API_KEY",
    "TOGETHER_API_KEY",
    "ULTRAVOX_API_KEY",
    "UPLIFTAI_API_KEY",
    "XAI_API_KEY",
)
_OTHERS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AZURE_OPENAI_ENDPOINT": "https://localhost:9",
    "AZURE_SPEECH_REGION": "none",
    "LIVEKIT_URL": "ws://localhost:9",
    # Longer than a signature needs: the secret signs tokens.
    "LIVEKIT_API_SECRET": f"{_NONE}-but-a-secret-of-some-length",
    "OPENAI_API_VERSION": "2024-10-01",
}


def provider_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables to set where they are unset, so that models can be made without credentials."""
    wanted = {**dict.fromkeys(_KEYS, _NONE), **_OTHERS}
    return {name: value for name, value in wanted.items() if not environ.get(name)}


def secrets_of(environ: Mapping[str, str]) -> Secrets:
    """What must not be kept of these variables; the keys set above are none."""
    return Secrets.of(
        {name: value for name, value in environ.items() if not value.startswith(_NONE)}
    )
