// The clinic's intake agent for LiveKit Agents for Node: `node agent.js start`.
//
// Its models are whatever OPENAI_BASE_URL serves. CLINIC_FAULT plants a fault:
//   slow   it waits five seconds longer for the end of a turn
//   hours  its instructions do not say when the clinic is open
import { ServerOptions, cli, defineAgent, inference, llm, voice } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { z } from 'zod';

const FAULT = process.env.CLINIC_FAULT ?? '';
const GREETING = 'Hello, this is Harbour Street Clinic. How can I help you?';
const INSTRUCTIONS =
  'You answer the telephone of Harbour Street Clinic. Book, move and look up appointments: ask ' +
  'for the name, the reason, the day and the time, and repeat them before you change anything. ' +
  'An emergency, or a caller who asks for it, goes to a person.';
const HOURS =
  '\nThe clinic is open from eight in the morning to six in the evening. Read times accordingly.';

function tools() {
  const booked = new Map([
    ['Peter Green', { day: 'Thursday', time: '15:30', reason: 'back pain' }],
    ['James Wilson', { day: 'Monday', time: '09:00', reason: 'blood test' }],
  ]);
  const shown = (patient) => {
    const reference = String(1000 + (crc32(patient.toLowerCase()) % 9000));
    return booked.has(patient)
      ? { patient, ...booked.get(patient), reference }
      : { found: false };
  };
  return {
    book_appointment: llm.tool({
      description: 'Book an appointment.',
      parameters: z.object({
        patient: z.string().describe('first and last name'),
        day: z.string().describe('day of the week'),
        time: z.string().describe('24-hour clock, HH:MM'),
        reason: z.string().describe('reason for the visit'),
      }),
      execute: async ({ patient, day, time, reason }) => {
        booked.set(patient, { day, time, reason });
        return shown(patient);
      },
    }),
    look_up_appointment: llm.tool({
      description: "Find a patient's appointment.",
      parameters: z.object({ patient: z.string().describe('first and last name') }),
      execute: async ({ patient }) => shown(patient),
    }),
    escalate_to_human: llm.tool({
      description: 'Put the caller through to a person.',
      parameters: z.object({ reason: z.string().describe('why the caller needs one') }),
      execute: async () => ({ position: 1 }),
    }),
  };
}

class Receptionist extends voice.Agent {
  constructor() {
    super({
      instructions: INSTRUCTIONS + (FAULT === 'hours' ? '' : HOURS),
      tools: tools(),
    });
  }

  async onEnter() {
    this.session.say(GREETING);
  }
}

export default defineAgent({
  prewarm: (proc) => {
    proc.userData.vad = new inference.VAD();
  },
  entry: async (ctx) => {
    const session = new voice.AgentSession({
      vad: ctx.proc.userData.vad,
      stt: new openai.STT({ useRealtime: false, model: 'whisper-1' }),
      llm: new openai.LLM({ model: 'gpt-4.1' }),
      tts: new openai.TTS({ model: 'tts-1' }),
      aecWarmupDuration: null,
      turnHandling: {
        turnDetection: 'vad',
        endpointing: { minDelay: FAULT === 'slow' ? 5800 : 800, maxDelay: FAULT === 'slow' ? 6000 : 3000 },
        interruption: { mode: 'vad' },
      },
    });
    session.on(voice.AgentSessionEventTypes.Close, () => ctx.shutdown('the caller has left'));
    await session.start({ agent: new Receptionist(), room: ctx.room });
    await ctx.connect();
  },
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  cli.runApp(
    new ServerOptions({
      agent: fileURLToPath(import.meta.url),
      agentName: 'clinic-node',
      port: 0,
      numIdleProcesses: 1,
      // The test machine is small: it counts calls, not CPU.
      loadFunc: async (worker) => worker.activeJobs.length / 4,
    }),
  );
}
