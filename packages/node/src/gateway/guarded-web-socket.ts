import { WebSocket } from "ws";

/**
 * A WebSocket that tells why it is about to close on its own. `ws` closes by itself when the peer breaks the WebSocket protocol
 * or its bounds, and nothing can be sent after that: `onViolation` is the last moment to name the reason to the peer.
 */
export class GuardedWebSocket extends WebSocket {
  /** Set once the socket has an owner; called at most once, with the close code. */
  onViolation: ((closeCode: number) => void) | null = null;

  override close(code?: number, data?: string | Buffer): void {
    const violated = code === 1002 || code === 1003 || code === 1007 || code === 1008 || code === 1009;
    const tell = this.onViolation;
    if (violated && tell !== null && this.readyState === WebSocket.OPEN) {
      this.onViolation = null;
      tell(code);
    }
    super.close(code, data);
  }
}
