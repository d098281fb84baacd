"""What rules cannot decide: language models that are asked about a conversation.

LiveKit's own judges ask through any LLM plugin (``provider``); every vote is kept as a line of text
beside the recordings (``store``), found again by the judge and the conversation, so that the same
replay gets the same judgement without a key. A judge advises; it decides only as far as people were
shown to agree with it (``calibrate``, and ``lkgate.gate.trust``).
"""
