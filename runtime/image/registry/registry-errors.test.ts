import { expect } from "chai";
import { parseRefusal, refusalError } from "./registry-errors.ts";

const subject = { reference: "team/app:v1", repository: "team/app", action: "pull" } as const;

describe("registry refusal", () => {
  const cases = [
    {
      status: 404,
      body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]}',
      code: "NotFound",
      text: "manifest for team/app:v1 not found: manifest unknown: no such tag",
    },
    {
      status: 404,
      body: '{"errors":[{"code":"NAME_UNKNOWN","message":"who?"}]}',
      code: "NotFound",
      text: "repository team/app not found: name unknown: who?",
    },
    {
      status: 404,
      body: "<html>",
      code: "NotFound",
      text: "manifest for team/app:v1 not found: status 404",
    },
    {
      status: 404,
      body: '{"errors":[{"code":"BLOB_UNKNOWN"}]}',
      code: "NotFound",
      text: "cannot pull team/app:v1: registry answered blob unknown: no reason given",
    },
    {
      status: 401,
      body: "null",
      code: "Unauthenticated",
      text: "pull access denied for team/app, repository does not exist or may require 'docker login': status 401",
    },
    {
      status: 403,
      body: '{"errors":[{"code":"DENIED","message":"no"}]}',
      code: "PermissionDenied",
      text: "pull access denied for team/app, repository does not exist or may require 'docker login': denied: no",
    },
    {
      status: 429,
      body: "",
      code: "Unavailable",
      text: "cannot pull team/app:v1: registry answered status 429",
    },
    {
      status: 500,
      body: "[]",
      code: "Unavailable",
      text: "cannot pull team/app:v1: registry answered status 500",
    },
    {
      status: 400,
      body: "{}",
      code: "FailedPrecondition",
      text: "cannot pull team/app:v1: registry answered status 400",
    },
  ];
  for (const { status, body, code, text } of cases) {
    it(`turns ${status} ${body} into ${code}`, () => {
      const error = refusalError(parseRefusal(status, body), subject);
      expect(error).to.include({ code, message: text });
    });
  }
});
