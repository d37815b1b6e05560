/** `os/architecture[/variant]` as the newer endpoints take it; undefined stays so. */
export function platformJson(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [os = "", architecture = "", ...variant] = text.split("/");
  return JSON.stringify({
    os,
    architecture,
    ...(variant.length === 0 ? {} : { variant: variant.join("/") }),
  });
}
