/** The page on which people say who they are. */
export function signInPage({ uid, hint, no }: { uid: string; hint: string; no?: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · Tideshop (development)</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem; margin: .3rem 0 }
button { font: inherit; padding: .4rem 1rem }
.no { border-left: .3rem solid crimson; padding-left: .7rem }
</style>
</head>
<body>
<h1>Sign in</h1>
<p><strong>For development only.</strong> Nobody is asked for a password here, so nothing that is worth anything may rely on it.</p>
${no === undefined ? '' : `<p class="no" role="alert">${text(no)}</p>`}
<form method="post" action="/interaction/${text(uid)}">
<label>Number of your registration, the <code>uuid</code> that <code>POST /operation/create/user-create</code> answered
<input name="registration" value="${text(hint)}" autocomplete="off" required></label>
<button>Sign in</button>
</form>
<h2>Staff</h2>
<form method="post" action="/interaction/${text(uid)}">
<button name="staff" value="administrator">Administrator</button>
<button name="staff" value="support">Support</button>
</form>
</body>
</html>
`
}

function text(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
