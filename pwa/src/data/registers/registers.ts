/** `Registers`, over an open account. */
import { ulid } from "../../core/ulid.ts";
import { localDay } from "../../core/wording.ts";
import { FieldError, type Signing } from "../contract.ts";
import * as drafts from "../drafts.ts";
import { databaseOf, openForm, type Pledging, pledging, signing, voiding } from "../forms.ts";
import { keptValues } from "../overruled.ts";
import { type Known, type Leaf, readAll, type Session, shown } from "../records.ts";
import { graver, returnedAmong, reviewAmong } from "../reviews.ts";
import type { Draft } from "../save.ts";
import { actViews, type Campaign } from "../views.ts";
import { amending, OpenAmend } from "./amend.ts";
import type {
  AmendForm,
  Amendment,
  BulletinView,
  ChecklistView,
  HalfFilled,
  Inspected,
  InspectionForm,
  InspectionRow,
  InspectionView,
  ModelRow,
  ModelView,
  OutreachFacts,
  OutreachForm,
  OutreachRow,
  OverruledView,
  Previous,
  Registers,
  ReturnedView,
  SubjectId,
  UnitFacts,
  UnitForm,
  UnitRow,
  UnitStatus,
  UnitView,
} from "./contract.ts";
import * as views from "./views.ts";
import * as writes from "./writes.ts";

export { toldOf } from "../overruled.ts";

const COMMUNE = "commune";
/** Which bulletins were read lies beside the half-filled forms: it belongs to this phone alone. */
const READ = "bulletins/read";

/** What the account offers. */
export interface Account {
  /** Raises FieldError `locked`. */
  session(): Session;
  campaign(): Promise<Campaign | null>;
  save(drafts: readonly Draft[]): Promise<void>;
  /** Tells the screens that something changed. */
  post(): void;
}

class OpenInspection implements InspectionForm {
  constructor(
    readonly hamlet: string,
    readonly id: string,
    readonly subject: SubjectId,
    readonly name: string,
    readonly checklist: ChecklistView,
    readonly shown: InspectionView | null,
    readonly previous: Previous | null,
    readonly base: Leaf | null,
  ) {}
}

class OpenUnit implements UnitForm {
  constructor(
    readonly hamlet: string,
    readonly shown: UnitView,
    readonly base: Leaf,
    readonly pledging: Pledging,
  ) {}
}

class OpenOutreach implements OutreachForm {
  constructor(
    readonly hamlet: string,
    readonly shown: OutreachRow,
    readonly base: Leaf,
  ) {}
}

export class PhoneRegisters implements Registers {
  constructor(private readonly at: Account) {}

  async overruled(hamlet: string, id: string): Promise<readonly OverruledView[]> {
    const session = this.at.session();
    const db = databaseOf(hamlet);
    const [kept, known] = await Promise.all([session.db.get("overruled", [db, id]), this.known(hamlet)]);
    const winner = known.get(id)?.winner?.body;
    if (!kept || !winner) return [];
    const commune = id.startsWith("inspection:") ? await this.commune("checklist:") : new Map();
    return views.overruledViews(await keptValues(session, kept), winner, commune);
  }

  // --- models

  async models(hamlet: string): Promise<readonly ModelRow[]> {
    const [known, commune] = await Promise.all([this.known(hamlet), this.commune("model:")]);
    const inspections = await this.inspections(known);
    return views
      .ofType(commune, "model")
      .filter((model) => views.isIn(model, hamlet))
      .map((model) => views.modelView(model, inspections, []))
      .sort((a, b) => views.byTitle(a.name, b.name));
  }

  async model(hamlet: string, id: string): Promise<ModelView> {
    const [known, commune] = await Promise.all([this.known(hamlet), this.commune()]);
    const model = views.held(commune, `model:${id}`);
    const checklists = views.checklistsFor(commune, [String(views.bodyOf(model).kind)]);
    return views.modelView(model, await this.inspections(known), checklists);
  }

  // --- units

  async units(hamlet: string): Promise<readonly UnitRow[]> {
    const [known, campaign] = await Promise.all([this.known(hamlet), this.at.campaign()]);
    const inspections = await this.inspections(known);
    const rows = views.ofType(known, "unit").map((unit) => this.unitRow(known, campaign, unit, inspections));
    return (await Promise.all(rows))
      .filter(({ status }) => status !== "entered_in_error")
      .sort((a, b) => views.byTitle(a.name, b.name));
  }

  async unit(hamlet: string, id: string): Promise<UnitView> {
    return (await this.openUnit(hamlet, id)).shown;
  }

  async openUnit(hamlet: string, id: string): Promise<OpenUnit> {
    const [known, commune, campaign] = await Promise.all([
      this.known(hamlet),
      this.commune("checklist:"),
      this.at.campaign(),
    ]);
    const unit = views.held(known, `unit:${id}`);
    const pledge = views.pledgeOf(known, campaign, id);
    const row = await this.unitRow(known, campaign, unit, await this.inspections(known));
    const acts = actViews(pledge, this.user());
    const view: UnitView = {
      ...row,
      hamlet,
      acts,
      review: await this.reviewOfUnit(known, unit, pledge),
      reason: views.reasonOf(unit, pledge ?? undefined),
      checklists: views.checklistsFor(commune, views.kindsForUnit(row.kind)),
    };
    const base = views.leafOf(unit);
    return new OpenUnit(hamlet, view, base, { hamlet, of: id, campaign, base: shown(pledge), acts });
  }

  async addUnit(hamlet: string, what: UnitFacts): Promise<string> {
    const id = this.minted();
    const status: UnitStatus = "active";
    await this.write(hamlet, `unit:${id}`, null, writes.unitFields({ ...what, status }, this.today()));
    return id;
  }

  async editUnit(form: UnitForm, change: Partial<UnitFacts> & { status?: UnitStatus }): Promise<void> {
    const { hamlet, base, shown: unit } = opened(OpenUnit, form);
    await this.write(hamlet, `unit:${unit.id}`, base, writes.unitFields(change, this.today()));
  }

  async signUnit(form: UnitForm, what: Signing): Promise<void> {
    const { pledging } = opened(OpenUnit, form);
    await this.at.save(await signing(this.at.session(), pledging, what));
  }

  async voidUnitAct(form: UnitForm, act: string): Promise<void> {
    await this.at.save([voiding(this.at.session(), opened(OpenUnit, form).pledging, act)]);
  }

  // --- corrected pledges

  async openAmend(hamlet: string, of: "household" | "unit", id: string): Promise<OpenAmend> {
    if (of === "unit") {
      const { shown: unit, pledging: at } = await this.openUnit(hamlet, id);
      return new OpenAmend(hamlet, unit.name, unit.review, at);
    }
    const form = await openForm(this.at.session(), await this.at.campaign(), hamlet, id);
    return new OpenAmend(hamlet, form.shown.name, form.shown.review, pledging(form));
  }

  async amend(form: AmendForm, what: Amendment): Promise<void> {
    await this.at.save([amending(this.at.session(), opened(OpenAmend, form), what)]);
  }

  // --- inspections

  async inspection(hamlet: string, id: string): Promise<InspectionView> {
    const [known, commune] = await Promise.all([this.known(hamlet), this.commune()]);
    return this.inspectionView(hamlet, known, commune, views.held(known, `inspection:${id}`));
  }

  async newInspection(
    hamlet: string,
    subject: SubjectId,
    { slug, version }: { readonly slug: string; readonly version?: number },
    id: string = this.minted(),
  ): Promise<OpenInspection> {
    const [known, commune] = await Promise.all([this.known(hamlet), this.commune()]);
    const name = views.nameOf(known, commune, subject);
    const newest = views.newestChecklist(commune, slug);
    const wanted = version === undefined ? newest : commune.get(`checklist:${slug}:${version}`);
    if (!wanted) throw new FieldError("missing", slug);
    const checklist = views.checklistOf(wanted);
    const previous = views.previousOf(known, subject, slug, null);
    return new OpenInspection(hamlet, id, subject, name, checklist, null, previous, null);
  }

  async openInspection(hamlet: string, id: string, kept?: HalfFilled | null): Promise<OpenInspection> {
    const [known, commune] = await Promise.all([this.known(hamlet), this.commune()]);
    const record = views.held(known, `inspection:${id}`);
    const view = await this.inspectionView(hamlet, known, commune, record);
    const { subject, name, checklist } = view;
    if (!checklist) throw new FieldError("missing", id);
    const previous = views.previousOf(known, subject, checklist.slug, view);
    const base = views.baseOf(views.leafOf(record), kept);
    return new OpenInspection(hamlet, id, subject, name, checklist, view, previous, base);
  }

  async saveInspection(form: InspectionForm, what: Inspected): Promise<void> {
    const { hamlet, id, subject, checklist, base } = opened(OpenInspection, form);
    const { fields, photos } = writes.inspected(checklist, base, what, () => this.minted());
    await this.write(hamlet, `inspection:${id}`, base, { subject, ...fields }, photos);
  }

  async followedUp(hamlet: string, id: string, done: string): Promise<void> {
    const record = views.held(await this.known(hamlet), `inspection:${id}`);
    const { followUp } = views.inspectionRow(record, null, this.user());
    if (!followUp) throw new FieldError("missing", id);
    const fields = { follow_up: writes.followUp({ ...followUp, done }) };
    await this.write(hamlet, `inspection:${id}`, views.leafOf(record), fields);
  }

  // --- outreach

  async outreach(hamlet: string): Promise<readonly OutreachRow[]> {
    const known = await this.known(hamlet);
    return views.newestFirst(
      await Promise.all(views.ofType(known, "outreach").map((one) => this.outreachRow(known, one))),
    );
  }

  async addOutreach(hamlet: string, what: OutreachFacts): Promise<void> {
    await this.write(hamlet, `outreach:${this.minted()}`, null, writes.outreachFields(what));
  }

  async openOutreach(hamlet: string, id: string): Promise<OpenOutreach> {
    const known = await this.known(hamlet);
    const record = views.held(known, `outreach:${id}`);
    return new OpenOutreach(hamlet, await this.outreachRow(known, record), views.leafOf(record));
  }

  async editOutreach(form: OutreachForm, what: OutreachFacts): Promise<void> {
    const { hamlet, shown: row, base } = opened(OpenOutreach, form);
    await this.write(hamlet, `outreach:${row.id}`, base, writes.outreachFields(what));
  }

  // --- what the office says

  async bulletins(today: string): Promise<readonly BulletinView[]> {
    const [commune, mine, read] = await Promise.all([
      this.commune("bulletin:"),
      this.hamlets(),
      this.readBulletins(),
    ]);
    return views.bulletinsOf(commune, today, mine, read);
  }

  async readBulletin(id: string): Promise<void> {
    const [commune, read] = await Promise.all([this.commune("bulletin:"), this.readBulletins()]);
    // What the office took back is forgotten here too, so the list stays as long as there are bulletins.
    const kept = read.filter((one) => one !== id && commune.has(`bulletin:${one}`));
    await drafts.keepDraft(this.at.session(), READ, [...kept, id]);
    this.at.post();
  }

  async returned(): Promise<readonly ReturnedView[]> {
    const [hamlets, commune] = await Promise.all([this.hamlets(), this.commune("model:")]);
    const found = await Promise.all(
      hamlets.map(async (hamlet) => {
        const known = await this.known(hamlet);
        const returned = await returnedAmong(this.at.session().env, known);
        return [...returned].flatMap(([id, comment]) => {
          const of = views.recordOf(known, id);
          if (!of) return [];
          const { kind, id: ulid, named } = of;
          return [{ hamlet, kind, id: ulid, name: views.nameOf(known, commune, named), comment }];
        });
      }),
    );
    return found.flat();
  }

  // --- inside

  private user(): string {
    return this.at.session().account.user.id;
  }

  private minted(): string {
    const { env } = this.at.session();
    return ulid(env.now(), env.random(10));
  }

  private today(): string {
    return localDay(this.at.session().env.now());
  }

  // Async, all of them: what throws before its promise leaves the others beside it without anybody who hears them.

  private async known(hamlet: string): Promise<views.Documents> {
    return readAll(this.at.session(), databaseOf(hamlet));
  }

  private async commune(prefix = ""): Promise<views.Documents> {
    return readAll(this.at.session(), COMMUNE, prefix);
  }

  private async hamlets(): Promise<string[]> {
    const databases = await this.at.session().db.getAll("databases");
    return databases.flatMap(({ name }) => /^hamlet-(.+)$/.exec(name)?.[1] ?? []);
  }

  private async readBulletins(): Promise<readonly string[]> {
    return ((await drafts.draft(this.at.session(), READ)) as readonly string[] | null) ?? [];
  }

  private inspections(known: views.Documents): Promise<InspectionRow[]> {
    return Promise.all(
      views.ofType(known, "inspection").map(async (one) => {
        const review = await reviewAmong(this.at.session().env, known, one);
        return views.inspectionRow(one, review, this.user());
      }),
    );
  }

  private async inspectionView(
    hamlet: string,
    known: views.Documents,
    commune: views.Documents,
    record: Known,
  ): Promise<InspectionView> {
    const review = await reviewAmong(this.at.session().env, known, record);
    const row = views.inspectionRow(record, review, this.user());
    const body = views.bodyOf(record);
    const { slug, version } = views.versionOf(body);
    const checklist = commune.get(`checklist:${slug}:${version}`);
    return {
      ...row,
      hamlet,
      name: views.nameOf(known, commune, row.subject),
      checklist: checklist && shown(checklist) ? views.checklistOf(checklist) : null,
      answers: views.answersOf(body),
      findings: typeof body.findings === "string" ? body.findings : "",
      review,
      reason: views.reasonOf(record),
    };
  }

  private async unitRow(
    known: views.Documents,
    campaign: Campaign | null,
    unit: Known,
    inspections: readonly InspectionRow[],
  ): Promise<UnitRow> {
    const pledge = views.pledgeOf(known, campaign, views.ulidOf(unit.id));
    return views.unitRow(unit, pledge, inspections, await this.reviewOfUnit(known, unit, pledge));
  }

  private async reviewOfUnit(known: views.Documents, unit: Known, pledge: Known | null) {
    const { env } = this.at.session();
    return graver(await reviewAmong(env, known, unit), pledge && (await reviewAmong(env, known, pledge)));
  }

  private async outreachRow(known: views.Documents, record: Known): Promise<OutreachRow> {
    const review = await reviewAmong(this.at.session().env, known, record);
    return views.outreachRow(record, review, this.user());
  }

  private async write(hamlet: string, id: string, base: Leaf | null, fields: Fields, photos: Photos = []) {
    const draft = writes.writing(this.at.session(), hamlet, id, base, { fields, photos });
    if (draft) await this.at.save([draft]);
  }
}

type Write = Parameters<typeof writes.writing>[4];
type Fields = NonNullable<Write["fields"]>;
type Photos = NonNullable<Write["photos"]>;

function opened<T>(kind: new (...args: never[]) => T, form: unknown): T {
  if (form instanceof kind) return form;
  throw new FieldError("missing", "form");
}
