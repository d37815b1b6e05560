import { expect } from "chai";
import { compileTemplate } from "./template.ts";

const DOT = {
  ID: "abc",
  Name: "web",
  Replicas: 3,
  Spec: { Labels: { "a.b": "c", x: "y" }, Env: ["A=1", "B=2"] },
  Tasks: [
    { Name: "web.1", Up: true },
    { Name: "web.2", Up: false },
  ],
};

describe("template: Go's text/template as Docker's users write it", () => {
  const cases: { name: string; template: string; expected: string }[] = [
    { name: "a field", template: "{{.ID}}", expected: "abc" },
    { name: "text around fields", template: "{{.ID}}: {{ .Name }}", expected: "abc: web" },
    { name: "a nested field", template: "{{.Spec.Env}}", expected: "[A=1 B=2]" },
    { name: "a map", template: "{{.Spec.Labels}}", expected: "map[a.b:c x:y]" },
    { name: "a missing field", template: "{{.Nope}}", expected: "<no value>" },
    { name: "index with a dotted key", template: '{{index .Spec.Labels "a.b"}}', expected: "c" },
    { name: "index of a list", template: "{{index .Spec.Env 1}}", expected: "B=2" },
    { name: "json", template: "{{json .Spec.Env}}", expected: '["A=1","B=2"]' },
    { name: "json of all", template: "{{json .Spec.Labels}}", expected: '{"a.b":"c","x":"y"}' },
    { name: "a pipeline", template: '{{.Name | upper | printf "%5s!"}}', expected: "  WEB!" },
    { name: "join", template: '{{join .Spec.Env ","}}', expected: "A=1,B=2" },
    { name: "range", template: "{{range .Tasks}}{{.Name}} {{end}}", expected: "web.1 web.2 " },
    {
      name: "range with key",
      template: "{{range $k, $v := .Spec.Labels}}{{$k}}={{$v}};{{end}}",
      expected: "a.b=c;x=y;",
    },
    { name: "range of nothing", template: "{{range .None}}x{{else}}none{{end}}", expected: "none" },
    {
      name: "if else",
      template: "{{range .Tasks}}{{if .Up}}+{{else}}-{{end}}{{end}}",
      expected: "+-",
    },
    {
      name: "else if",
      template: '{{if eq .Name "db"}}1{{else if eq .Name "web"}}2{{end}}',
      expected: "2",
    },
    { name: "with", template: "{{with .Spec}}{{len .Env}}{{end}}", expected: "2" },
    { name: "a variable", template: "{{$n := .Name}}{{$n}}-{{$.ID}}", expected: "web-abc" },
    {
      name: "parentheses",
      template: "{{if and (gt .Replicas 2) (not .Nope)}}ok{{end}}",
      expected: "ok",
    },
    { name: "trimming", template: "a  {{- .Name -}}  b", expected: "awebb" },
    { name: "a comment", template: "a{{/* no */}}b", expected: "ab" },
    { name: "println", template: "{{println .ID}}", expected: "abc\n" },
    { name: "a raw string", template: "{{`{{x}`}}", expected: "{{x}" },
  ];
  it("asks a value that can be asked, and has nothing for what is not among texts", () => {
    const dot = { Label: (name: unknown) => `<${name}>`, Labels: {}, Health: undefined };
    const ask = (template: string) => compileTemplate(template)(dot);
    expect(ask('{{.Label "a"}}')).to.equal("<a>");
    expect(ask('{{"a" | .Label}}')).to.equal("<a>");
    expect(ask('{{index .Labels "x"}}')).to.equal("");
    expect(ask("{{if .Health}}{{.Health.Status}}{{else}}none{{end}}")).to.equal("none");
    expect(() => ask("{{.Health.Status}}")).to.throw('nothing that could have a field "Status"');
  });
  it("refuses to print a field that is not there, names those that are, and lets it be asked for", () => {
    const dot = { State: { Status: "running", Labels: { x: "y" }, Pid: null } };
    const show = (template: string) =>
      compileTemplate(template, { missing: "cannot be printed" })(dot);
    expect(() => show("{{.State.Sttatus}}")).to.throw(
      'there is no field "Sttatus": use one of Status, Labels, Pid',
    );
    expect(() => show("{{range .State.Labels}}{{$.Nope}}{{end}}")).to.throw('no field "Nope"');
    expect(show("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}")).to.equal(
      "none",
    );
    expect(show("{{$h := .State.Health}}{{with $h}}{{.Status}}{{end}}")).to.equal("");
    expect(show("{{json .State.Health}} {{.State.Labels.none}}")).to.equal("null <no value>");
    expect(show("{{.State.Pid}}")).to.equal("<no value>");
  });
  for (const { name, template, expected } of cases) {
    it(`renders ${name}`, () => {
      expect(compileTemplate(template)(DOT)).to.equal(expected);
    });
  }

  const wrong: { template: string; message: string }[] = [
    { template: "{{.ID", message: "not closed" },
    { template: "{{if .ID}}", message: "has no {{end}}" },
    { template: "{{end}}", message: "unexpected {{end}}" },
    { template: "{{bogus .ID}}", message: 'function "bogus" not defined' },
    { template: "{{constructor}}", message: 'function "constructor" not defined' },
    { template: "{{.ID .Name}}", message: "only a function takes arguments" },
    { template: "{{$x}}", message: 'undefined variable "$x"' },
    { template: "{{(.ID}}", message: "parenthesis" },
    { template: "{{}}", message: "missing" },
  ];
  for (const { template, message } of wrong) {
    it(`refuses ${template}`, () => {
      expect(() => compileTemplate(template)(DOT)).to.throw(message);
    });
  }
});
