/**
 * All that a reader sees: for each question the lines for people and the document for scripts, which is typed. Nothing here uses
 * Node, so that a page in a browser shows the same.
 */

export type { CheckDocument, DiagnosisDocument, EvidenceDocument, FindingDocument } from './check/json.ts';
export { checkDocument, diagnosisDocument } from './check/json.ts';
export { markdownLines } from './check/markdown.ts';
export { checkLines, diagnosisLines } from './check/text.ts';
export type { CheckQuestion, CheckView } from './check/view.ts';
export type { DiffDocument, DiffSide } from './diff/json.ts';
export { diffDocument } from './diff/json.ts';
export type { DiffView } from './diff/text.ts';
export { diffLines } from './diff/text.ts';
export type { Explanation } from './explain/explanation.ts';
export { explain } from './explain/explanation.ts';
export type {
  ChangeDocument,
  ExplainDocument,
  HopDocument,
  ParameterDocument,
  SettingsDocument,
  VerdictDocument,
} from './explain/json.ts';
export { explainDocument } from './explain/json.ts';
export { explainLines } from './explain/text.ts';
export type { ExplainView } from './explain/view.ts';
export type { MapDocument, MapSegmentDocument } from './map/json.ts';
export { mapDocument } from './map/json.ts';
export type { NvmeCommandDocument, NvmeDocument, NvmeFormDocument, SglDocument } from './map/nvme.ts';
export { nvmeDocument, nvmeText } from './map/nvme.ts';
export { mapText } from './map/text.ts';
export type { MatrixQuestion } from './matrix/cells.ts';
export type { MatrixDocument, MatrixPair } from './matrix/json.ts';
export { writeMatrixJson } from './matrix/json.ts';
export type { MatrixView } from './matrix/text.ts';
export { matrixLines } from './matrix/text.ts';
export type { PagesDocument, PageTotals } from './pages/json.ts';
export { pagesDocument } from './pages/json.ts';
export { pagesLines } from './pages/text.ts';
export type { Difference } from './run/compare.ts';
export { compareReports, differenceText } from './run/compare.ts';
export type {
  RunDocument,
  ScenarioDocument,
  SegmentDocument,
  TransferDocument,
  VectorDocument,
} from './run/json.ts';
export { runDocument } from './run/json.ts';
export { stepLines } from './run/steps.ts';
export { runText } from './run/text.ts';
export { traceJson } from './run/trace.ts';
export type {
  AcsDocument,
  BarDocument,
  FunctionDocument,
  RootBusDocument,
  TopoDocument,
  TopoMachine,
  WindowDocument,
} from './topo/json.ts';
export { writeTopoJson } from './topo/json.ts';
export type { TopoView } from './topo/text.ts';
export { topoLines } from './topo/text.ts';
export type { AskedAddress, WhoseAnswer } from './whose/answer.ts';
export { whoseAnswers } from './whose/answer.ts';
export type { AnswerDocument, FaultDocument, OwnerDocument, RoadDocument, WhoseDocument } from './whose/json.ts';
export { whoseDocument } from './whose/json.ts';
export { answerLines } from './whose/text.ts';
export type { FixDocument } from './words/fix-document.ts';
export type { MachineDocument } from './words/machine-document.ts';
export type { Names } from './words/names.ts';
export { namesFrom } from './words/names.ts';
export type { Sink } from './words/sink.ts';
export type { Style } from './words/style.ts';
export { styleOf, wrap } from './words/style.ts';
