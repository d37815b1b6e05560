import { X509Certificate } from "node:crypto";
import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import { CAClient, type IssuedCertificate } from "../../proto/gen/ca.ts";
import type { NodeAvailability } from "../../proto/gen/objects.ts";
import { askLeader, explain } from "../rpc/ask-leader.ts";
import { callUnary, withClient } from "../rpc/calls.ts";
import { newCertificateRequest } from "./certificates.ts";
import {
  anonymousToAnyone,
  anonymousToManager,
  MANAGER_CHANNEL_OPTIONS,
  type NodeCredentials,
} from "./credentials.ts";
import { signProof } from "./expired-proof.ts";
import { base36Digest, parseJoinToken } from "./join-token.ts";
import {
  type NodeCertificate,
  parseRootCertificate,
  type RootCertificate,
} from "./node-certificate.ts";
import { splitPem } from "./pem.ts";
import { acceptRoots } from "./trust.ts";

/** How long one question to a manager may take, connecting included. */
export const CA_TIMEOUT_MS = 10_000;
/** A root certificate has under 1 KiB; who sends more than this is no manager. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** What a node joins with. */
export interface JoinRequest {
  /** host:port of any manager. */
  readonly addr: string;
  readonly token: string;
  readonly availability: NodeAvailability;
  readonly signal?: AbortSignal;
}

/**
 * Gets a new node its certificate. The secret leaves only after the CA was found to be the token's.
 *
 * @throws {ClusterError} `InvalidArgument` for a malformed token, `PermissionDenied` when the CA is not the token's or
 * the secret is wrong, `Unavailable` when the manager cannot be reached.
 */
export async function requestCertificate(request: JoinRequest): Promise<NodeCertificate> {
  const { addr, token, availability, signal } = request;
  const root = await pinRootCertificate(addr, parseJoinToken(token).caDigest, signal);
  const { keyPem, csr } = await newCertificateRequest();
  const credentials = anonymousToManager(root.certPem);
  const issued = await ask({ addrs: [addr], signal }, credentials, (client) =>
    callUnary(
      client.issueCertificate.bind(client),
      { csr, token: token.trim(), availability },
      { timeoutMs: CA_TIMEOUT_MS, signal },
    ),
  );
  return accept(root.certPem, keyPem, issued);
}

/**
 * Gets a node its next certificate, for a new key.
 *
 * @param managers host:port of those it knows.
 * @throws {ClusterError} `PermissionDenied` when the node was removed, `Unavailable` when no leader could be asked.
 */
export async function renewCertificate(
  managers: readonly string[],
  credentials: NodeCredentials,
): Promise<NodeCertificate> {
  const { keyPem, csr } = await newCertificateRequest();
  const issued = await ask({ addrs: managers }, credentials.toManager(), (client) =>
    callUnary(client.renewCertificate.bind(client), { csr }, { timeoutMs: CA_TIMEOUT_MS }),
  );
  return accept(credentials.certificate.rootPem, keyPem, issued);
}

/**
 * Gets a node whose certificate has expired its next one, by a proof that it still holds the key.
 *
 * @throws {ClusterError} `PermissionDenied` when the node was removed or its key replaced, `FailedPrecondition` when an
 * operator must approve it first, `Unavailable` when no leader could be asked.
 */
export async function renewExpired(
  managers: readonly string[],
  own: NodeCertificate,
  nowMs: number,
): Promise<NodeCertificate> {
  const { keyPem, csr } = await newCertificateRequest();
  const certificate = new X509Certificate(own.certPem).raw;
  const signature = signProof({ csr, certificate, atMs: nowMs }, own.keyPem);
  const request = { csr, certPem: own.certPem, atMs: nowMs, signature };
  const issued = await ask({ addrs: managers }, anonymousToManager(own.rootPem), (client) =>
    callUnary(client.renewExpired.bind(client), request, { timeoutMs: CA_TIMEOUT_MS }),
  );
  return accept(own.rootPem, keyPem, issued);
}

/** The certificate in an answer; of the roots in it only those that a trusted one vouches for are taken. */
export function accept(
  trustedPem: string,
  keyPem: string,
  { certPem, rootPem }: IssuedCertificate,
): NodeCertificate {
  return { certPem, keyPem, rootPem: acceptRoots(trustedPem, rootPem, certPem) };
}

/**
 * Fetches the CA's certificate over a connection that proves nothing, and believes it only if its digest is `caDigest`.
 *
 * @throws {ClusterError} `PermissionDenied` when it is another CA's, `Unavailable` when nobody answers.
 */
export async function pinRootCertificate(
  addr: string,
  caDigest: string,
  signal?: AbortSignal,
): Promise<RootCertificate> {
  const answer = await withClient(caClient(addr, anonymousToAnyone()), (client) =>
    callUnary(client.getRootCertificate.bind(client), {}, { timeoutMs: CA_TIMEOUT_MS, signal }),
  ).catch((error: unknown) => {
    throw explain(error, addr);
  });
  for (const pem of splitPem(answer.certPem)) {
    const root = parseRootCertificate(pem);
    if (base36Digest(root.digest) === caDigest) return root;
  }
  throw new ClusterError(
    "PermissionDenied",
    `remote CA does not match fingerprint: the manager at ${addr} is not of the swarm this join token is for; nothing secret was sent to it`,
    { details: { addr } },
  );
}

/** Asks the managers one after the other, and whomever they name as leader. */
function ask(
  search: { readonly addrs: readonly string[]; readonly signal?: AbortSignal | undefined },
  credentials: ChannelCredentials,
  question: (client: CAClient) => Promise<IssuedCertificate>,
): Promise<IssuedCertificate> {
  const dial = (at: string) => caClient(at, credentials);
  return askLeader({ ...search, dial, patienceMs: CA_TIMEOUT_MS }, question);
}

function caClient(addr: string, credentials: ChannelCredentials): CAClient {
  const options: ChannelOptions = {
    ...MANAGER_CHANNEL_OPTIONS,
    "grpc.max_receive_message_length": ANSWER_BYTES_MAX,
    "grpc.use_local_subchannel_pool": 1,
  };
  return new CAClient(addr, credentials, options);
}
