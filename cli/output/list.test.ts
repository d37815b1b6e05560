import { expect } from "chai";
import { formatList, withLabels } from "./list.ts";

describe("output: lists", () => {
  const view = {
    columns: [
      { header: "ID", field: "ID" },
      { header: "NAME", field: "Name" },
    ],
    rows: [
      withLabels({ Name: "web", ID: "a1", CreatedAt: "now" }, { a: "<1>" }),
      withLabels({ ID: "b234", CreatedAt: "now", Name: "数据" }, null),
    ],
  };
  const cases: { name: string; options: object; expected: string }[] = [
    { name: "a table", options: {}, expected: "ID        NAME\na1        web\nb234      数据\n" },
    { name: "ids only", options: { quiet: true }, expected: "a1\nb234\n" },
    {
      name: "JSON lines",
      options: { format: "json" },
      expected:
        '{"CreatedAt":"now","ID":"a1","Name":"web"}\n{"CreatedAt":"now","ID":"b234","Name":"数据"}\n',
    },
    {
      name: "labels by their names",
      options: { format: '{{.Name}}{{.Label "a"}}{{.Label "b"}}' },
      expected: "web<1>\n数据\n",
    },
    {
      name: "a template",
      options: { format: "{{.Name}}={{.ID}}" },
      expected: "web=a1\n数据=b234\n",
    },
    {
      name: "a table of a template",
      options: { format: "table {{.Name}}\\t{{.ID}}" },
      expected: "NAME      ID\nweb       a1\n数据      b234\n",
    },
    {
      name: "a table of fields that are no columns",
      options: { format: 'table {{.CreatedAt}}\\t{{.Label "a"}}' },
      expected: "CREATED AT   a\nnow          <1>\nnow          \n",
    },
  ];
  it("refuses fields that no row has, and says which there are", () => {
    for (const format of ["{{.Nam}}", "table {{.Nam}}", "{{if true}}{{$.Nam}}{{end}}"])
      expect(() => formatList(view, { format }), format).to.throw(
        'invalid template: there is no field "Nam": use one of CreatedAt, ID, Name',
      );
  });

  it("writes JSON as Go does", () =>
    expect(formatList({ columns: [], rows: [{ B: "<&>", A: "1" }] }, { format: "json" })).to.equal(
      '{"A":"1","B":"\\u003c\\u0026\\u003e"}\n',
    ));
  for (const { name, options, expected } of cases) {
    it(`formats ${name}`, () => {
      expect(formatList(view, options)).to.equal(expected);
    });
  }
});
