"use strict";
// Draws the figures that the server wrote beside their tables, in the colours of the page, light or dark.
(() => {
  const CONFIG = {
    displayModeBar: false,
    displaylogo: false,
    plotlyServerURL: "",
    responsive: true,
    scrollZoom: false,
    showSendToCloud: false,
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 760px)");

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const theme = () => {
    const [ink, soft, edge, accent, tint, raised] = ["--ink", "--ink-2", "--edge", "--accent", "--tint", "--raised"].map(colour);
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: soft };
    const axis = { gridcolor: edge, linecolor: edge, zerolinecolor: edge, tickcolor: edge, automargin: true, title: { font, standoff: 8 } };
    const heat = { colorscale: [[0, tint], [0.5, colour("--chart-middle")], [1, accent]], textfont: { size: 11 } };
    return {
      layout: {
        font,
        colorway: [accent],
        paper_bgcolor: "transparent",
        plot_bgcolor: "transparent",
        bargap: 0.28,
        margin: { l: 8, r: 12, t: 8, b: 8, pad: 4 },
        xaxis: axis,
        yaxis: axis,
        hoverlabel: { bgcolor: raised, bordercolor: edge, font: { ...font, size: 13, color: ink }, align: "left" },
        legend: { font, bgcolor: "transparent", itemclick: false, itemdoubleclick: false },
      },
      data: {
        bar: [{ marker: { color: accent, cornerradius: 3 }, textfont: { size: 12 }, insidetextfont: { color: colour("--on-accent") }, cliponaxis: false }],
        heatmap: [heat],
        scatter: [{ cliponaxis: false, fillcolor: tint, marker: { size: 5 }, line: { width: 2 } }],
      },
    };
  };

  // Tones are names of the page's colours.
  const tint = (trace) => {
    if (!trace.meta?.tone) return trace;
    const own = colour(`--${trace.meta.tone}`);
    return { ...trace, marker: { color: own, cornerradius: 2, size: 5 }, line: { ...trace.line, color: own } };
  };

  // What is behind something else keeps its distance in colour too; a phone has no room for numbers in small cells.
  const fit = (trace) => {
    if (trace.name === "One period before") return { ...trace, marker: { color: colour("--chart-behind"), cornerradius: 3 } };
    return narrow.matches && trace.texttemplate ? { ...trace, texttemplate: "" } : trace;
  };

  // Names beside the bars become links, each time that the library has written them.
  const link = (element) => {
    const { links } = element.layout.meta ?? {};
    if (!links) return;
    element.querySelectorAll(".ytick text").forEach((text, place) => {
      if (text.parentNode.localName === "a" || !links[place]) return;
      const anchor = document.createElementNS("http://www.w3.org/2000/svg", "a");
      anchor.setAttribute("href", links[place]);
      text.replaceWith(anchor);
      anchor.append(text);
    });
  };

  const fewer = (step) => (typeof step === "number" ? step * 2 : `M${Number(step.slice(1)) * 3}`);

  const draw = (element) => {
    const { data, layout } = JSON.parse(element.dataset.figure);
    const look = { ...layout, template: theme(), autosize: true };
    if (narrow.matches && look.xaxis?.dtick && look.xaxis.type === "date") look.xaxis = { ...look.xaxis, dtick: fewer(look.xaxis.dtick) };
    window.Plotly.react(element, data.map(fit).map(tint), look, CONFIG).then(() => {
      if (!element.classList.contains("drawn")) element.on("plotly_afterplot", () => link(element));
      link(element);
      element.classList.add("drawn");
    });
  };

  const drawAll = (root) => root.querySelectorAll(".chart[data-figure]").forEach(draw);

  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    if (event.target.matches?.(".chart.drawn")) window.Plotly.purge(event.target);
  });
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt !== document.body) drawAll(event.detail.elt);
  });
  for (const media of [dark, narrow]) media.addEventListener("change", () => drawAll(document));
  drawAll(document);
})();
