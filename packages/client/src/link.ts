import {
  CLIENT_PROTOCOL,
  type ClientFrame,
  type ClientFrameOf,
  decodePayload,
  encodePayload,
  isLifecycleEvent,
  type Scheduled,
  SojournError,
} from "@sojourn/core";
import { Backoff } from "./backoff.js";
import { Calls } from "./calls.js";
import { Channel } from "./channel.js";
import { Endpoints } from "./endpoints.js";
import { Identity } from "./identity.js";
import { Inputs } from "./inputs.js";
import { Outputs } from "./outputs.js";
import type { ClientEnv } from "./ports.js";
import { remoteError } from "./remote-error.js";
import { Spares } from "./spares.js";
import { verdictOn } from "./verdict.js";

/** What `authenticate` at the node gets: a string, or where to fetch a fresh one for each new connection. */
export type AuthSource = string | null | (() => string | null | Promise<string | null>);

/** Where the client stands, as its user sees it. */
export type Status = "connecting" | "live" | "reconnecting" | "closed";

/** Which session, and by which ways. */
export interface LinkOptions {
  readonly session: string;
  readonly endpoints: readonly string[];
  readonly auth: AuthSource;
}

/** A channel on which a hello is to be answered in time. */
interface Attempt {
  readonly channel: Channel;
  timer: Scheduled;
  /** Who said hello on it. From then on the session may have attached to this channel. */
  helloed: Identity | null;
}

/** A better endpoint, and when to try it. */
interface Plan {
  readonly endpoint: string;
  readonly timer: Scheduled;
}

/** Each phase owns its channel and timers; leaving it hands them on or ends them. Spares belong to no phase. */
type Phase =
  | { readonly name: "connecting"; readonly attempt: Attempt }
  | { readonly name: "live"; readonly channel: Channel; readonly plan: Plan | null }
  /** Make before break: `channel` works on until `attempt` is welcomed. */
  | { readonly name: "switching"; readonly channel: Channel; readonly attempt: Attempt }
  | { readonly name: "waiting"; readonly timer: Scheduled }
  | { readonly name: "closed" };

/**
 * One client's link to one session, over any number of sockets. Reads no clock and opens no socket but through `env`, so
 * that a simulator runs it on virtual time. What it has to tell goes through `emit`: the session's events under their names
 * and the lifecycle events.
 */
export class Link {
  readonly #env: ClientEnv;
  readonly #options: LinkOptions;
  readonly #emit: (name: string, value: unknown) => void;
  readonly #endpoints: Endpoints;
  readonly #spares: Spares;
  readonly #calls: Calls;
  readonly #inputs: Inputs;
  readonly #outputs: Outputs;
  readonly #reconnects: Backoff;
  readonly #switches: Backoff;
  #identity: Identity;
  #phase: Phase;
  #status: Status = "connecting";
  #everLive = false;
  /** The fence: frames of an older epoch come from a node that owns the session no more. */
  #epoch = 0;
  /** The epoch that the numbers of this side belong to; a notice of a move raises only `#epoch`. */
  #offsetEpoch = 0;
  #movedEpoch = 0;
  /** The owner's endpoint as far as it is known. */
  #better = "";
  #lastProblem: SojournError | undefined;
  owner = "";
  recovered = true;
  sockets = 0;
  handovers = 0;

  constructor(env: ClientEnv, options: LinkOptions, emit: (name: string, value: unknown) => void) {
    const { limits, random } = env;
    this.#env = env;
    this.#options = options;
    this.#emit = emit;
    this.#endpoints = new Endpoints(options.endpoints, limits.maxKnownEndpoints);
    this.#spares = new Spares(env);
    this.#calls = new Calls(env);
    this.#reconnects = new Backoff(random, limits.reconnectMinMs, limits.reconnectMaxMs);
    this.#switches = new Backoff(random, limits.reconnectMinMs * 4, limits.reconnectMaxMs * 4);
    this.#identity = new Identity(random);
    this.#outputs = new Outputs(env, {
      deliver: (output) => this.#deliver(output),
      sendAck: (seq, gap) => this.#send({ t: "ack", seq, gap }),
    });
    this.#inputs = new Inputs(env, {
      send: (frame) => this.#send(frame),
      takeAck: () => this.#outputs.takeAck(),
      deaf: () => this.#channel?.fail(true),
    });
    this.#phase = { name: "waiting", timer: env.clock.schedule(0, () => this.#connect()) };
  }

  get status(): Status {
    return this.#status;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The endpoint in use; null while there is none. */
  get endpoint(): string | null {
    return this.#channel?.endpoint ?? null;
  }

  get counts(): { readonly openCalls: number; readonly unackedInputs: number; readonly spareSockets: number; readonly lastOut: number } {
    return {
      openCalls: this.#calls.size,
      unackedInputs: this.#inputs.unacked,
      spareSockets: this.#spares.size,
      lastOut: this.#outputs.last,
    };
  }

  /** Calls an action. The input is kept and sent again until the session has handled it. */
  call(action: string, argument: unknown): Promise<unknown> {
    try {
      if (this.#phase.name === "closed") throw new SojournError("E_CLIENT_CLOSED");
      const payload = encodePayload(argument);
      // Room for the numbers and the name beside the payload: at most 3 bytes of UTF-8 a character and three 8-byte numbers.
      if (payload.length + 3 * action.length + 32 > this.#env.limits.maxClientFrameBytes) {
        throw new SojournError("E_FRAME_TOO_LARGE", `the argument of ${action} takes ${payload.length} bytes`);
      }
      return this.#calls.add(this.#inputs.push(action, payload));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the link at the session too (`leave`), or only here. */
  close(leave: boolean, error: SojournError | null = null): void {
    const phase = this.#phase;
    if (phase.name === "closed") return;
    if (leave) {
      this.#send({ t: "bye" });
      if (phase.name === "connecting" && phase.attempt.helloed !== null) phase.attempt.channel.send({ t: "bye" });
    }
    if (phase.name === "waiting") phase.timer.cancel();
    if (phase.name === "connecting" || phase.name === "switching") this.#abandon(phase.attempt);
    if (phase.name === "live") phase.plan?.timer.cancel();
    if (phase.name === "live" || phase.name === "switching") phase.channel.close();
    this.#spares.clear();
    this.#silence();
    this.#enter({ name: "closed" });
    this.#calls.fail(error ?? new SojournError("E_CLIENT_CLOSED"));
    this.#emit("close", error);
  }

  /** Ends an attempt to connect for the first time that takes too long. */
  giveUp(): void {
    this.close(false, new SojournError("E_CONNECT_FAILED", undefined, { session: this.#options.session }, this.#lastProblem));
  }

  get #channel(): Channel | undefined {
    const phase = this.#phase;
    return phase.name === "live" || phase.name === "switching" ? phase.channel : undefined;
  }

  #send(frame: ClientFrame): void {
    this.#channel?.send(frame);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    const up = phase.name === "live" || phase.name === "switching";
    this.#everLive ||= up;
    const status = up ? "live" : phase.name === "closed" ? "closed" : this.#everLive ? "reconnecting" : "connecting";
    if (status === this.#status) return;
    this.#status = status;
    this.#emit("status", status);
  }

  /** Nothing is sent from now on until the next welcome. */
  #silence(): void {
    this.#inputs.pause();
    this.#outputs.pause();
  }

  // connecting

  #connect(): void {
    const attempt = this.#attempt(this.#endpoints.take());
    this.#enter({ name: "connecting", attempt });
    this.#begin(attempt);
  }

  #attempt(to: string | Channel): Attempt {
    const channel = typeof to === "string" ? (this.#spares.take(to) ?? this.#open(to)) : to;
    return { channel, timer: this.#patience(channel, 0), helloed: null };
  }

  #patience(channel: Channel, moreMs: number): Scheduled {
    return this.#env.clock.schedule(this.#env.limits.attemptTimeoutMs + moreMs, () => channel.fail(true));
  }

  #open(endpoint: string): Channel {
    this.sockets++;
    return new Channel(this.#env, endpoint, this.#channelEvents);
  }

  readonly #channelEvents = {
    opened: (channel: Channel): void => {
      const attempt = this.#attemptOn(channel);
      if (attempt !== undefined) this.#begin(attempt);
    },
    frame: (channel: Channel, frame: ClientFrame): void => this.#received(channel, frame),
    down: (channel: Channel, silent: boolean): void => {
      const attempt = this.#attemptOn(channel);
      if (attempt !== undefined) this.#attemptFailed(attempt, 0);
      else if (channel === this.#channel) this.#lost(channel, silent, 0);
      else this.#spares.forget(channel);
    },
  };

  #attemptOn(channel: Channel): Attempt | undefined {
    const phase = this.#phase;
    return (phase.name === "connecting" || phase.name === "switching") && phase.attempt.channel === channel ? phase.attempt : undefined;
  }

  /** Says hello, now or once the channel is open and the token is there. */
  #begin(attempt: Attempt): void {
    if (!attempt.channel.isOpen) return;
    const { auth } = this.#options;
    if (typeof auth !== "function") {
      this.#hello(attempt, auth);
      return;
    }
    Promise.resolve()
      .then(auth)
      .then(
        (token) => this.#hello(attempt, token),
        (cause) => {
          this.#lastProblem = new SojournError("E_AUTH_REFUSED", "the token could not be fetched", {}, cause);
          if (this.#attemptOn(attempt.channel) === attempt) attempt.channel.fail(false);
        },
      );
  }

  #hello(attempt: Attempt, auth: string | null): void {
    const { channel } = attempt;
    if (this.#attemptOn(channel) !== attempt) return;
    const { link, token, nextToken, known, generation } = this.#identity;
    if (channel.link !== "" && channel.link !== link) {
      // A late word on the link before this one would be taken for the answer.
      channel.fail(false);
      return;
    }
    channel.link = link;
    attempt.helloed = this.#identity;
    channel.send({
      t: "hello",
      protocol: CLIENT_PROTOCOL,
      session: this.#options.session,
      link,
      token,
      nextToken,
      epoch: known ? this.#epoch : 0,
      lastOut: this.#outputs.last,
      sent: this.#inputs.sent,
      acked: this.#inputs.acked,
      offsetEpoch: known ? this.#offsetEpoch : 0,
      generation,
      auth,
    });
  }

  #abandon(attempt: Attempt): void {
    attempt.timer.cancel();
    attempt.channel.close();
  }

  #attemptFailed(attempt: Attempt, pauseMs: number): void {
    const phase = this.#phase;
    this.#abandon(attempt);
    if (phase.name !== "switching") this.#wait(pauseMs);
    else if (attempt.helloed !== null) {
      // The session may have attached to the channel that just failed: the old one has to say hello again to be heard.
      this.#silence();
      this.#switches.nextMs();
      this.#resume(phase.channel);
    } else {
      this.#enter({ name: "live", channel: phase.channel, plan: null });
      this.#plan(this.#better, this.#switches.nextMs());
    }
  }

  #resume(channel: Channel): void {
    const attempt = this.#attempt(channel);
    this.#enter({ name: "connecting", attempt });
    this.#begin(attempt);
  }

  #wait(pauseMs: number): void {
    this.#silence();
    const timer = this.#env.clock.schedule(pauseMs + this.#reconnects.nextMs(), () => this.#connect());
    this.#enter({ name: "waiting", timer });
  }

  #lost(channel: Channel, avoid: boolean, pauseMs: number): void {
    const phase = this.#phase;
    this.#silence();
    if (phase.name === "switching") {
      const { attempt } = phase;
      if (attempt.helloed === null || attempt.helloed === this.#identity) {
        this.#enter({ name: "connecting", attempt });
        return;
      }
      // It waits for an answer to a link that is no more, whose numbers would be taken for those of the new one.
      this.#abandon(attempt);
    }
    if (phase.name === "live") phase.plan?.timer.cancel();
    this.#endpoints.prefer(channel.endpoint, avoid);
    if (this.#better !== "" && this.#better !== channel.endpoint) this.#endpoints.prefer(this.#better);
    this.#better = "";
    this.#wait(pauseMs);
  }

  // frames

  #received(channel: Channel, frame: ClientFrame): void {
    if (frame.t === "pong") return;
    const attempt = this.#attemptOn(channel);
    if (attempt !== undefined) {
      // What else arrives before the welcome belongs to an earlier attach of this socket.
      if (frame.t === "welcome") this.#welcomed(attempt, frame);
      else if (frame.t === "problem") this.#problem(channel, frame, attempt);
    } else if (channel === this.#channel) {
      if (frame.t === "output") this.#output(channel, frame);
      else if (frame.t === "acked") this.#acked(channel, frame.epoch, frame.seq);
      else if (frame.t === "moved") this.#moved(frame);
      else if (frame.t === "problem") this.#problem(channel, frame, undefined);
      else channel.fail(false);
    } else if (frame.t === "problem" && frame.fatal) {
      this.#spares.forget(channel);
      channel.close();
    }
  }

  #welcomed(attempt: Attempt, frame: ClientFrameOf<"welcome">): void {
    const { channel } = attempt;
    const phase = this.#phase;
    if (frame.protocol !== CLIENT_PROTOCOL) {
      this.close(false, new SojournError("E_PROTOCOL_VERSION"));
      return;
    }
    if (frame.epoch < this.#epoch) {
      channel.fail(false);
      return;
    }
    const known = this.#identity.known;
    const lost = known && !frame.recovered;
    // A gap must never be silent: a welcome that claims to continue what this side never had does not.
    if (!lost && (frame.lastIn > this.#inputs.sent || (known && frame.nextOut > this.#outputs.last + 1))) {
      this.#renew("E_SEQUENCE_INVALID");
      channel.fail(false);
      return;
    }
    attempt.timer.cancel();
    this.#identity.confirm(frame.generation);
    this.#epoch = this.#offsetEpoch = frame.epoch;
    this.owner = frame.owner;
    this.#reconnects.reset();
    if (lost) {
      this.#inputs.reset(frame.lastIn + 1);
      this.#outputs.reset(frame.nextOut);
    } else {
      this.#inputs.ack(frame.lastIn);
      // What is parked ahead of a gap may be of turns that are lost; all that the session still knows of it comes again.
      this.#outputs.reset(known ? this.#outputs.last + 1 : frame.nextOut);
      this.recovered = true;
    }
    if (phase.name === "switching") this.#spares.put(phase.channel);
    channel.expectTraffic(frame.heartbeatMs);
    const reason = frame.reason ?? "E_LINK_UNKNOWN";
    if (lost) this.#abortCalls(reason);
    this.#phase = { name: "live", channel, plan: null };
    this.#outputs.resume();
    this.#inputs.resume();
    this.#aim(frame.endpoint);
    this.#enter(this.#phase);
    if (lost) this.#emit("reset", { reason, lostOutputs: frame.lostOutputs, lostInputs: frame.lostInputs });
  }

  #output(channel: Channel, frame: ClientFrameOf<"output">): void {
    if (this.#acked(channel, frame.epoch, frame.ack)) this.#outputs.accept(frame);
  }

  /** Takes an acknowledgement; false when it comes from a past owner or makes no sense. */
  #acked(channel: Channel, epoch: number, seq: number): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = this.#offsetEpoch = epoch;
    if (seq > this.#inputs.sent) {
      channel.fail(false);
      return false;
    }
    this.#inputs.ack(seq);
    return true;
  }

  #deliver(output: ClientFrameOf<"output">): void {
    if (this.#phase.name === "closed") return;
    try {
      const value = decodePayload(output.payload);
      if (output.kind === "reply") this.#calls.settle(output.answers, value);
      else if (output.kind === "failure") this.#calls.settle(output.answers, undefined, remoteError(output.name, value));
      else if (isLifecycleEvent(output.name)) throw new SojournError("E_DEFINITION_INVALID", `the event name ${output.name} is reserved`);
      else this.#emit(output.name, value);
    } catch (cause) {
      const error = cause instanceof SojournError ? cause : new SojournError("E_CODEC_CORRUPT", undefined, {}, cause);
      if (output.answers > 0) this.#calls.settle(output.answers, undefined, error);
      else this.#emit("problem", error);
    }
  }

  #problem(channel: Channel, frame: ClientFrameOf<"problem">, attempt: Attempt | undefined): void {
    const error = remoteError(frame.code, frame);
    if (!frame.fatal && attempt !== undefined && frame.code === "E_SESSION_BUSY") {
      // The node keeps this hello until somebody has taken the session over: that comes sooner here than anywhere else.
      this.#lastProblem = error;
      attempt.timer.cancel();
      attempt.timer = this.#patience(channel, frame.retryAfterMs);
      return;
    }
    if (!frame.fatal) {
      // The session has attached elsewhere. While switching that is the plan; otherwise a late hello of ours overtook this channel.
      if (frame.code !== "E_LINK_REPLACED") this.#emit("problem", error);
      else if (this.#phase.name === "live") {
        this.#phase.plan?.timer.cancel();
        this.#silence();
        this.#resume(channel);
      }
      return;
    }
    this.#lastProblem = error;
    const verdict = verdictOn(frame);
    if (verdict === "final" || (verdict === "renew" && !this.#identity.known)) {
      this.close(false, error);
      return;
    }
    if (verdict === "renew") this.#renew(frame.code);
    if (this.#phase.name === "closed") return;
    if (attempt !== undefined) this.#attemptFailed(attempt, frame.retryAfterMs);
    else {
      channel.close();
      this.#lost(channel, frame.code !== "E_LINK_REPLACED", frame.retryAfterMs);
    }
  }

  /** The link cannot be continued: a new one takes its place. */
  #renew(reason: string): void {
    // What the session said of a link that it cannot continue is not known; all of it may be lost.
    const all = reason === "E_TURNS_LOST";
    const lost = { lostOutputs: all ? this.#outputs.last : 0, lostInputs: all ? this.#inputs.acked : 0 };
    this.#identity = new Identity(this.#env.random);
    this.#spares.clear();
    this.#inputs.reset(1);
    this.#outputs.reset(1);
    this.#abortCalls(reason);
    this.#emit("reset", { reason, ...lost });
  }

  #abortCalls(reason: string): void {
    this.recovered = false;
    this.#calls.fail(remoteError(reason, { message: "the link was started anew; whether the call was carried out is unknown" }));
  }

  // switching

  #moved(frame: ClientFrameOf<"moved">): void {
    if (frame.epoch < this.#epoch || frame.epoch <= this.#movedEpoch) return;
    this.#epoch = this.#movedEpoch = frame.epoch;
    this.owner = frame.to;
    this.handovers++;
    this.#better = frame.endpoint;
    this.#switches.reset();
    this.#plan(frame.endpoint, frame.switchAfterMs);
    // A take-over from a lost node has no blackout of its own; what that node was passed is lost with it.
    if (frame.blackoutMs === 0 && frame.endpoint === this.endpoint) this.#inputs.resend();
    this.#emit("handover", { from: frame.from, to: frame.to, blackoutMs: frame.blackoutMs });
  }

  /** After a welcome: the owner may be somewhere else than this socket. */
  #aim(endpoint: string): void {
    // What a moved notice named has waited as long as it said; what the welcome alone tells may be told to many at once.
    const spreadMs = endpoint === this.#better ? 0 : this.#env.random.next() * this.#env.limits.switchSpreadMs;
    this.#better = endpoint;
    if (endpoint === this.endpoint) this.#switches.reset();
    this.#plan(endpoint, this.#switches.failures > 0 ? this.#switches.nextMs() : spreadMs);
  }

  /** Replaces what was planned before. */
  #plan(endpoint: string, delayMs: number): void {
    let phase = this.#phase;
    if (phase.name === "switching") {
      // Once it has said hello, it is awaited: its welcome tells where the owner is, and the next plan is made then.
      if (phase.attempt.helloed !== null || phase.attempt.channel.endpoint === endpoint) return;
      this.#abandon(phase.attempt);
      phase = { name: "live", channel: phase.channel, plan: null };
    }
    if (phase.name !== "live") return;
    phase.plan?.timer.cancel();
    const wanted = endpoint !== "" && endpoint !== phase.channel.endpoint && this.#switches.failures <= this.#env.limits.maxSwitchAttempts;
    const plan = wanted ? { endpoint, timer: this.#env.clock.schedule(delayMs, () => this.#switch()) } : null;
    this.#phase = { name: "live", channel: phase.channel, plan };
  }

  #switch(): void {
    const phase = this.#phase;
    if (phase.name !== "live" || phase.plan === null) return;
    this.#endpoints.prefer(phase.plan.endpoint);
    const attempt = this.#attempt(phase.plan.endpoint);
    this.#enter({ name: "switching", channel: phase.channel, attempt });
    this.#begin(attempt);
  }
}
