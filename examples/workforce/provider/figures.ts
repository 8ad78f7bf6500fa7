// The figures of a sentence: numbers with what they measure, not those that are part of a name or a version.

const units =
  "%|‰|°C|°F|[nµm]?s|min|h|hours?|minutes?|seconds?|days?|weeks?|months?|years?|[kMGT]?i?B|bytes?|[kMG]?Hz|[mck]?m|[mk]?g|[kM]?W|€|\\$|£|" +
  "EUR|USD|Prozent|Stunden|Minuten|Sekunden|Tage|Jahre|Millionen|million|billion|thousand|times|×|x|年|天|元|万|亿|次|个";
/** Not the rest of a name, nor its beginning; scripts without spaces between words have no such neighbours. */
const letter = "\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}\\p{N}_";
const figure = new RegExp(
  `(?<![${letter}@#./:-]|\\d[,'])([$€£¥]?[-−+±]?\\d+(?:[.,' \u00a0\u202f]\\d{3})*(?:[.,]\\d+)?)(?:( ?(?:${units}))(?![${letter}]|[.,/:']\\d)|(?![${letter}@-]|[.,/:']\\d))`,
  "gu",
);

/** As they are written, those with a unit first. */
export function figuresOf(sentence: string): string[] {
  const found = [...sentence.matchAll(figure)].map(([written, , unit]) => ({ written: written.trim(), unit }));
  return [...found.filter(({ unit }) => unit), ...found.filter(({ unit }) => !unit)].map(({ written }) => written);
}
