"""The page's style sheet, inline so that the page needs nothing but itself."""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark; --ink: #1d1d1b; --soft: #62625c; --paper: #fbfaf7; --line: #dcdad2;
  --card: #f1efe8; --accent: #0b5c7a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5df; --soft: #a3a199; --paper: #191a1b;
  --line: #3a3b3c; --card: #232527; --accent: #7cc4e0; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; padding: 2rem clamp(.8rem, 1.4vw, 2rem) 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 104rem; margin: 0 auto; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.6rem 0 .6rem; padding-top: .7rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; font-weight: 600; margin: 1.4rem 0 .5rem; }
p, ul, dl { max-width: 46rem; margin: .5rem 0; }
ul { padding-left: 1.2rem; }
.soft, figcaption { color: var(--soft); font-size: .875rem; }
.verdict { font-size: 1.15rem; line-height: 1.5; border-left: 4px solid var(--accent);
  padding: .1rem 0 .1rem 1rem; margin: 1.1rem 0; }
.verdict small { display: block; color: var(--soft); font-size: .875rem; margin-top: .25rem; }
.strip { display: flex; flex-wrap: wrap; gap: 1rem .5rem; align-items: flex-start; }
figure { margin: 0; width: min-content; min-width: min(15rem, 100%); max-width: 100%; }
figure.plot { width: 100%; max-width: 52rem; }
figcaption { margin-top: .35rem; }
figcaption b { color: var(--ink); font-weight: 600; }
.scroll { overflow-x: auto; max-width: 100%; }
img { display: block; }
.pixels { image-rendering: pixelated; max-width: none; }
.plot img { width: 100%; height: auto; border-radius: 4px; }
.bar { display: flex; gap: .6rem; align-items: center; font-size: .875rem; margin-top: .8rem; }
.bar img { width: 16rem; max-width: 45vw; height: 14px; image-rendering: auto; }
.player p { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; max-width: 100%; }
.player input { flex: 1 1 12rem; max-width: 32rem; accent-color: var(--accent); }
.player output { min-width: 6rem; font-variant-numeric: tabular-nums; }
.player button { font: inherit; padding: .15rem .9rem; border: 1px solid var(--line); border-radius: 4px;
  background: var(--card); color: var(--ink); cursor: pointer; }
.player [hidden] { display: none; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem 1.2rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
td.n, th.n { text-align: right; }
td.n { white-space: nowrap; }
td.t { min-width: 16rem; max-width: 40rem; }
pre { background: var(--card); padding: .8rem 1rem; border-radius: 4px; font-size: .82rem; line-height: 1.45;
  max-width: 60rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre, code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --line: #bbb; --card: #f4f4f4; }
  body { padding: 0; font-size: 10.5pt; } .scroll { overflow: visible; }
  .pixels { max-width: 100%; height: auto; } figure, tr, pre { break-inside: avoid; }
  h2 { break-after: avoid; } }
"""
