/**
 * A refusal as a page, for people whose browser it is: the words of `refusals` with the app's own look.
 * Nothing of the request is in it, and it needs no file that only signed-in browsers get.
 */
export function refusalPage(title: string, text: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · KohakuRiver</title>
<style>
:root { color-scheme: light dark; }
body {
  display: grid; place-content: center; min-height: 100vh; margin: 0; padding: 24px;
  background: light-dark(#f2f4f8, #0b111d); color: light-dark(#152033, #e1e8f4);
  font: 14px/1.5 system-ui, sans-serif; box-sizing: border-box;
}
main { max-width: 46ch; padding-left: 20px; border-left: 3px solid light-dark(#e39c14, #f2b23e); }
h1 { margin: 0 0 8px; font-size: 18px; }
p { margin: 0; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${text}</p>
</main>
</body>
</html>
`;
}
