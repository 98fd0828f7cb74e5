// What the site says itself, in both languages, and how it writes numbers, money, years and days. What codes mean is not
// here: the service says that (`label` of api.js).

const WORDS = {
  about: ["公開API（/v1）だけで作られたサイトです。", "Made with the public interface (/v1) alone."],
  allChanges: ["内訳", "Each change"],
  allYears: ["年度ごとの推移", "Over the years"],
  api: ["APIの文書", "API documentation"],
  approach: ["所属運営の基本的な考え方", "Basic approach"],
  askOn: ["判定日", "As judged on"],
  attainment: ["達成率", "Attainment"],
  attainmentOf: ["{0} ÷ 目標 {1}", "{0} ÷ target {1}"],
  breaks: ["比較に注意が要る変更", "Breaks: compare with care"],
  budgets: ["予算と決算", "Budget"],
  byRule: ["指標（規則による判定）", "Indicators, by the rule"],
  called: ["所属", "Name"],
  changes: ["最近の変更", "What changed lately"],
  changesLead: ["公表されている内容の変更を、新しい順に示します。新しい変更は自動で加わります。", "Changes of what is public, the latest first. New ones appear by themselves."],
  chart: ["{0}の推移。数値は下の表にあります。", "{0} over the years. The table below has the numbers."],
  comment: ["備考", "Remark"],
  compared: ["比べた数値", "Number compared"],
  conflict: ["ほかの人が先に変更しました（保存されている値: {0}）。もう一度保存すると置き換えます。", "Somebody else was faster (stored now: {0}). Storing again replaces it."],
  cumulative: ["累計", "Cumulative"],
  data: ["データについて", "About the data"],
  daysAfter: ["期限の{0}日後に公表", "{0} days after the due date"],
  daysLate: ["{0}日遅れ", "{0} days late"],
  declared: ["所属の判定", "Declared"],
  declaredAgainst: ["所属の判定は{0}、規則による判定は{1}です。", "Declared {0}; by the rule it is {1}."],
  draft: ["公表前の内容を含みます。", "Shows what is not published yet."],
  due: ["提出期限", "Due"],
  edit: ["実績を入力", "Enter results"],
  editLead: ["値を入れると判定をその場で確かめられます。保存するまで何も記録されません。", "Grades are previewed while you type. Nothing is recorded until you store."],
  enters: ["トークンの持ち主: {0}", "Token of {0}"],
  excel: ["表（Excel）", "Table (Excel)"],
  failed: ["表示できませんでした", "This could not be shown"],
  forget: ["トークンを消す", "Forget the token"],
  form: ["公式様式", "Official form"],
  fields: ["各欄の意味", "What the fields mean"],
  findings: ["確認が要る点", "To be checked"],
  found: ["{0}件", "{0} found"],
  future: ["今後の方針", "Future policy"],
  gap: ["目標との差", "Beyond the target"],
  goals: ["経営課題", "Goals"],
  help: {
    value: ["この年度の実績の数値。数値がないときは空欄にして、値の状況を選びます。", "The number of this fiscal year. Without one, leave it empty and choose the state of the value."],
    cumulative_value: ["対象期間のはじめからの合計。累計の目標はこの数値で判定します。", "The sum since the period of the target began; a cumulative target is judged by it."],
    value_status: ["数値があるか、ない場合はその理由（集計中、非公表など）。", "Whether there is a number, and if not, why: being compiled, withheld and so on."],
    observation_status: ["速報値（後で変わり得る）、確定値、訂正値（確定後に直した値）の別。", "Provisional (may still change), final, or revised (corrected after it was final)."],
    declared_rating: ["所属自身が付けた判定。付けていなければ「—」。規則と異なるときは両方を示します。", "The grade that the organization itself gave; a dash if there is none. Where the rule gives another, both are shown."],
    text: ["様式に書かれたとおりの実績（例: 「49.3%（見込み）」）。", "The result word for word as in the form, such as 「49.3%（見込み）」."],
  },
  home: ["概況", "Overview"],
  indicator: ["指標", "Indicators"],
  indicatorCount: ["指標 {0}件", "{0} indicators"],
  invented: ["架空のデータです。{0}に見ると、いろいろな場面があります。", "This data is invented. Seen on {0}, it shows many scenarios."],
  issue: ["課題認識", "What needs doing"],
  json: ["このデータ（JSON）", "This data (JSON)"],
  language: ["English", "日本語"],
  live: ["受信中", "Live"],
  loading: ["読み込んでいます", "Loading"],
  measured: ["測定日", "Measured on"],
  mission: ["使命", "Mission"],
  more: ["ほか{0}件", "{0} more"],
  name: ["大阪市 運営方針", "Osaka City management policies"],
  newChanges: ["新しい変更が{0}件あります", "{0} new changes"],
  noBreaks: ["比較を妨げる変更は見つかっていません。", "Nothing is known that would make these years hard to compare."],
  noPolicy: ["運営方針がまだない所属", "No policy yet"],
  none: ["該当するものはありません。", "Nothing found."],
  notPublic: ["実績はまだ公表されていません。", "The results are not published yet."],
  notAllowed: ["このトークンでは{0}の実績を変更できません。", "This token may not change the results of {0}."],
  notFound: ["このページはありません", "There is no such page"],
  offline: ["サービスにつながりません。", "The service cannot be reached."],
  open: ["開く", "Open"],
  organization: ["所属", "Organization"],
  organizations: ["所属ごとの状況", "By organization"],
  overview: ["運営方針の進み具合", "How the policies are doing"],
  planOn: ["計画 {0}", "plan {0}"],
  points: ["ポイント", "points"],
  policies: ["運営方針", "Policies"],
  policyOf: ["{0} 運営方針", "— policy for {0}"],
  previous: ["前年度実績", "Previous year"],
  printed: ["記載", "As printed"],
  ratio: ["判定できた{0}件のうち{1}件が達成（{2}）", "{1} of {0} decided targets achieved ({2})"],
  ratioByRule: ["規則による判定だけでは{0}件のうち{1}件（{2}）", "by the rule alone: {1} of {0} ({2})"],
  reason: ["変更の理由", "Reason for the change"],
  reasonHint: ["公表済みの実績を変えるときに必要です", "needed where published results change"],
  reconnecting: ["再接続しています", "Reconnecting"],
  recorded: ["記録では {0}", "{0} on record"],
  reference: ["基準", "Refers to"],
  result: ["実績", "Result"],
  resultsIn: ["実績 {1} / {0}", "results in: {1} of {0}"],
  resultsOn: ["実績 {0}", "results {0}"],
  retry: ["もう一度", "Try again"],
  revert: ["保存されている値に戻す", "Take the stored one"],
  revision: ["第{0}版", "Revision {0}"],
  revisions: ["版の一覧", "Revisions"],
  rule: ["規則による判定", "By the rule"],
  sample: ["回答数・対象数", "Sample size"],
  scenarios: ["場面の一覧", "All scenarios"],
  search: ["検索", "Search"],
  searchHint: ["所属・経営課題・指標の名称", "Ward, goal, indicator"],
  self: ["自己評価", "Self-evaluation"],
  settled: ["確定の度合い", "How settled"],
  share: ["内訳", "Parts"],
  showAll: ["すべて表示", "Show all"],
  skip: ["本文へ", "Skip to the content"],
  source: ["出典", "Source"],
  stated: ["数値のとおり", "as stated"],
  status: ["状況", "State"],
  store: ["{0}件を保存", "Store rows: {0}"],
  badToken: ["このトークンは使えません。綴りを確かめるか、サービスの管理者に尋ねてください。", "This token is not valid. Check it, or ask whoever runs the service."],
  faultyRows: ["上の行に誤りがあります。何も保存していません。", "A row above has a fault. Nothing was stored."],
  stored: ["保存しました（登録 {0}、変更 {1}、変更なし {2}）。", "Stored: {0} new, {1} changed, {2} as before."],
  strategies: ["主な戦略", "Strategies"],
  target: ["目標", "Target"],
  texts: ["目標・使命・基本的な考え方", "Vision, mission, basic approach"],
  threshold: ["比べた目標", "Target compared"],
  today: ["今日", "Today"],
  token: ["トークン", "Token"],
  tokenLead: ["トークンはこの画面の記憶にだけ置かれ、閉じるか読み込み直すと消えます。トークンはサービスの管理者が発行します。最初のものの場所は、ログのはじめの行にあります。",
    "The token stays in the memory of this page; closing or reloading it forgets the token. Whoever runs the service gives tokens out; where the first one is, say the first lines of the log."],
  unknown: ["—", "—"],
  valueStatus: ["値の状況", "State of the value"],
  verdict: ["判定", "Grade"],
  vision: ["目標（めざす姿）", "Vision"],
  why: ["なぜこの判定か", "Why this grade"],
  year: ["年度", "Fiscal year"],
};

export let lang = "ja";

// The language of the address, else the reader's.
export function speak(wanted) {
  const liked = [wanted, ...navigator.languages].map((language) => language?.slice(0, 2));
  lang = liked.find((language) => ["ja", "en"].includes(language)) ?? "ja";
  document.documentElement.lang = lang;
}

// Words of the site, with values at {0}, {1} …
export function say(name, ...values) {
  return name.split(".").reduce((words, part) => words[part], WORDS)[lang === "ja" ? 0 : 1].replace(/\{(\d)\}/g, (_, place) => values[place]);
}

const locale = () => (lang === "ja" ? "ja-JP" : "en-GB");

// A number with the places its indicator is stated with, and more where it has more: nothing is rounded.
export function number(value, places = 0) {
  if (value === null || value === undefined) return say("unknown");
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: places, maximumFractionDigits: 9 }).format(value);
}

export function measured(value, unit, places) {
  if (value === null || value === undefined) return say("unknown");
  const named = unit === "ポイント" ? say("points") : (unit ?? "");
  return `${number(value, places)}${named === "%" || lang === "ja" ? "" : " "}${named}`;
}

export function percent(ratio, places = 0) {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: places }).format(ratio);
}

export function yen(amount) {
  if (lang === "en" || amount === 0 || amount % 10000 !== 0) return `${lang === "en" ? "¥" : ""}${number(amount)}${lang === "ja" ? "円" : ""}`;
  const [large, small] = [Math.trunc(amount / 1e8), Math.abs(amount % 1e8) / 1e4];
  return `${large ? `${number(large)}億` : ""}${small || !large ? `${number(small)}万` : ""}円`;
}

export function fiscalYear(year) {
  if (lang === "en") return `FY ${year}`;
  // By the name that the era has in the year's December: 2019 is 令和元年度.
  const era = new Intl.DateTimeFormat("ja-JP-u-ca-japanese", { era: "long", year: "numeric" });
  return `${era.format(new Date(year, 11, 1))}度`;
}

export function day(date) {
  if (!date) return say("unknown");
  return new Intl.DateTimeFormat(locale(), { dateStyle: "long", timeZone: "UTC" }).format(new Date(date));
}

export function moment(time) {
  const style = { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Tokyo" };
  return new Intl.DateTimeFormat(locale(), style).format(new Date(time));
}
