import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What one end of a TLS connection needs. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority made with the openssl binary for the time of a test. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), "sojourn-tls-"));

  constructor() {
    this.#openssl("req", "-x509", ...this.#newKey("ca"), "-out", this.#at("ca.crt"), "-subj", "/CN=test authority", "-days", "2");
  }

  /** A certificate for a node id, good for this machine's addresses too. */
  issue(nodeId: string): Credentials {
    const [csr, crt, ext] = [this.#at(`${nodeId}.csr`), this.#at(`${nodeId}.crt`), this.#at(`${nodeId}.ext`)];
    this.#openssl("req", ...this.#newKey(nodeId), "-out", csr, "-subj", `/CN=${nodeId}`);
    writeFileSync(ext, "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    const signedBy = ["-CA", this.#at("ca.crt"), "-CAkey", this.#at("ca.key"), "-CAcreateserial"];
    this.#openssl("x509", "-req", "-in", csr, ...signedBy, "-out", crt, "-days", "2", "-extfile", ext);
    return { ca: this.#read("ca.crt"), cert: readFileSync(crt, "utf8"), key: this.#read(`${nodeId}.key`) };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #at(file: string): string {
    return join(this.#folder, file);
  }

  #read(file: string): string {
    return readFileSync(this.#at(file), "utf8");
  }

  #newKey(name: string): string[] {
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", this.#at(`${name}.key`)];
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { stdio: "pipe" });
  }
}
