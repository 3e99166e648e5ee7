"""Hostile texts for every field that people write: 150 that must stay words."""

from tests.runbooks.payloads import CODE, SCRIPTS

MORE = [
    f'"><script>{CODE}</script>', f"'><script>{CODE}</script>", f"--><script>{CODE}</script><!--", f"]]><script>{CODE}</script>",
    f"</title><script>{CODE}</script>", f"</textarea><script>{CODE}</script>", f"</option></select><script>{CODE}</script>",
    f"</script><script>{CODE}</script>", f"</style><script>{CODE}</script>", f"</td></tr></table><script>{CODE}</script>",
    f'" onmouseover="{CODE}', f"' onmouseover='{CODE}", f'" autofocus onfocus="{CODE}', f"' autofocus onfocus='{CODE}",
    f'" style="animation-name:x" onanimationstart="{CODE}', f"x onpointerover={CODE}", f'"><img src=x onerror={CODE}>',
    f"'><img src=x onerror={CODE}>", f"`><img src=x onerror={CODE}>", f"<img src=`x`onerror={CODE}>", f"<img src=x onerror\n={CODE}>",
    f"<img src=x onerror\t=\t{CODE}>", f"<img src=x:x onerror={CODE}//", f"<image src=x onerror={CODE}>", f"<img srcset=x onerror={CODE}>",
    f"<svg/onload={CODE}//", f"<svg onload\r={CODE}>", f"<svg><set onbegin={CODE} attributename=x>", f"<svg><use href='data:image/svg+xml,<svg id=x onload={CODE}/>#x'>",
    f"<svg><style><img src=x onerror={CODE}></style>", f"<svg><title><img src=x onerror={CODE}></title></svg>", f"<svg><desc><script>{CODE}</script>",
    f"<math><annotation-xml encoding=text/html><img src=x onerror={CODE}>", f"<math><mi xlink:href='javascript:{CODE}'>x</mi></math>",
    f"<iframe onload={CODE}>", f"<iframe src=data:text/html,<script>parent.{CODE}</script>>", f"<object onerror={CODE} data=x>", f"<video src=x onerror={CODE}>",
    f"<video poster=javascript:{CODE}>", f"<audio autoplay onplay={CODE}>", f"<input type=image src=x onerror={CODE}>", f"<isindex action=javascript:{CODE}>",
    f"<keygen autofocus onfocus={CODE}>", f"<link rel=stylesheet href=x onerror={CODE}>", f"<link rel=prefetch href=x onload={CODE}>", f"<track onerror={CODE}>",
    f"<dialog open onclose={CODE}>", f"<details ontoggle={CODE} open>", f"<x contenteditable onfocus={CODE} autofocus>", f"<x onwheel={CODE} style=height:9999px>",
    f"javascript:{CODE}", f"java\tscript:{CODE}", f"data:text/html,<script>{CODE}</script>", f"\\x3cscript\\x3e{CODE}\\x3c/script\\x3e", f"\\u003cscript\\u003e{CODE}",
    f"+ADw-script+AD4-{CODE}+ADw-/script+AD4-", f"%3Cscript%3E{CODE}%3C/script%3E", f"&#60;script&#62;{CODE}&#60;/script&#62;", f"&lt;img src=x onerror={CODE}&gt;",
    f"{{{{constructor.constructor('{CODE}')()}}}}", f"${{{CODE}}}", f"#{{{CODE}}}", f"<%= {CODE} %>", f"{{% load static %}}<script>{CODE}</script>",
    f"';{CODE};//", f'";{CODE};//', f"`;{CODE};//", f"');{CODE};//", f"\\';{CODE};//", f"</div hx-on:load='{CODE}'>", f"<div hx-on::load={CODE}>",
    "<div hx-get=/sign-out/ hx-trigger=load></div>", "<div data-hx-post=/sign-out/ data-hx-trigger='load'></div>", f"<a href=javascript:{CODE} autofocus>x</a>",
]  # fmt: skip
TEXTS = list(dict.fromkeys(SCRIPTS + MORE))
