import { expect } from "chai";
import { JsonReader } from "../http/json-reader.ts";
import { imageConfigOf, mergeConfigs } from "./image-config.ts";

describe("the configuration of an image made of a container", () => {
  it("has what the container says, but nothing empty", () => {
    const config = {
      Hostname: "box",
      Env: ["A=1"],
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/v": {} },
      Labels: {},
      Cmd: null,
      User: "",
    };
    expect(imageConfigOf(new JsonReader(config, "Config"))).to.deep.equal({
      Env: ["A=1"],
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/v": {} },
    });
  });
  it("has what is asked for besides", () =>
    expect(
      mergeConfigs(
        { Env: ["A=2", "B=3"], ExposedPorts: { "81/tcp": {} }, User: "me" },
        { Env: ["A=1", "C=4"], ExposedPorts: { "80/tcp": {} }, User: "you", Cmd: ["x"] },
      ),
    ).to.deep.equal({
      Env: ["A=2", "B=3", "C=4"],
      ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
      User: "me",
      Cmd: ["x"],
    }));
  it("does not give the container's arguments to another entry point", () =>
    expect(mergeConfigs({ Entrypoint: ["e"] }, { Entrypoint: ["o"], Cmd: ["x"] })).to.deep.equal({
      Entrypoint: ["e"],
    }));
});
