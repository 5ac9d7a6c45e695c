/** The data behind the screens: `Field`, put together from its parts. All in one file: a line or two for each promise. */

import type { VisitResult } from "../core/documents.ts";
import * as accounts from "./accounts.ts";
import { commitSent } from "./commit.ts";
import type {
  Account,
  CampaignView,
  Change,
  Courier,
  DeviceCheck,
  Field,
  Form,
  HamletView,
  HouseholdChange,
  HouseholdRow,
  HouseholdView,
  Lifecycle,
  MeetingRecord,
  NewHousehold,
  PhotosState,
  ProblemView,
  Recovery,
  Signing,
  StorageView,
  SyncState,
  TextView,
} from "./contract.ts";
import { FieldError } from "./contract.ts";
import { type AccountDb, keysOf, meta, openAccount, type RevKey, stored, watch } from "./db.ts";
import { checkDevice, storage } from "./device.ts";
import * as drafts from "./drafts.ts";
import type { Env } from "./env.ts";
import * as forms from "./forms.ts";
import { goes } from "./gather.ts";
import { bundle } from "./handin.ts";
import * as loss from "./loss.ts";
import { readAll, readOne, type Session } from "./records.ts";
import type { Registers } from "./registers/contract.ts";
import { returnedAmong } from "./reviews.ts";
import { save } from "./save.ts";
import { Syncing } from "./syncing.ts";
import * as views from "./views.ts";

const COMMUNE = "commune";
const apart = () => import("./apart.ts");

export class PhoneField implements Field {
  private readonly env: Env;
  private readonly syncing: Syncing;
  private readonly listeners = new Set<(change: Change) => void>();
  private joined: accounts.Joined | null = null;
  private session: Session | null = null;
  /** The account in front, whether or not it is open. */
  private front: Promise<{ account: Account; db: AccountDb } | null> | null = null;
  /** What went missing since the app ran last. */
  private loss: Promise<loss.Loss | null> | null = null;

  constructor(world: Env) {
    // A channel does not carry to the tab that speaks: this one hears itself.
    const post = (message: string) => {
      world.channel.post(message);
      this.tell(message as Change);
    };
    this.env = { ...world, channel: { ...world.channel, post } };
    this.syncing = new Syncing(this.env, {
      session: () => this.session,
      closed: async () => (await this.inFront())?.db ?? null,
      revoked: (...which) => this.revoked(...which),
    });
    world.channel.listen((message) => this.tell(message as Change));
  }

  // --- the phone and its accounts

  async lifecycle(): Promise<Lifecycle> {
    if (this.session) return "open";
    if (this.joined) return this.joined.again ? "rejoined" : "joined";
    if (await this.missing()) return "lost";
    return (await this.inFront()) ? "locked" : "new";
  }

  lost(): Promise<{ readonly unsent: number } | null> {
    return this.missing();
  }

  async acceptLoss(): Promise<void> {
    const found = await this.missing();
    await this.close();
    if (found) await stored(loss.accept(this.env, found));
    this.loss = null;
    this.post("lifecycle");
  }

  checkDevice(): Promise<DeviceCheck> {
    return checkDevice(this.env);
  }

  storage(): Promise<StorageView> {
    return storage(this.env);
  }

  accounts(): Promise<readonly Account[]> {
    return accounts.accounts(this.env);
  }

  async account(): Promise<Account | null> {
    return (await this.inFront())?.account ?? null;
  }

  async choose(account: string): Promise<void> {
    await this.close();
    await stored(accounts.choose(this.env, account));
    this.post("lifecycle");
  }

  // --- enrolment and the PIN

  async join(code: string, deviceName: string): Promise<Account> {
    if (!(await this.checkDevice()).ready) throw new FieldError("unsafe_device");
    const { rejoin } = await apart();
    this.joined = await stored(rejoin.join(this.env, code, deviceName));
    this.post("lifecycle");
    return this.joined.account;
  }

  async beside(): Promise<boolean> {
    return this.joined?.beside ?? false;
  }

  async setPin(pin: string): Promise<void> {
    if (!this.joined) throw new FieldError("missing", "invitation");
    const { joined } = this;
    const session = await stored(
      joined.again
        ? (await apart()).rejoin.resume(this.env, joined, pin)
        : accounts.enrol(this.env, joined, pin),
    );
    await this.close();
    this.opened(session);
  }

  async unlock(pin: string): Promise<void> {
    this.opened(await accounts.unlock(this.env, await this.db(), pin));
  }

  async lock(): Promise<void> {
    this.session = null;
    this.post("lifecycle");
  }

  async changePin(old: string, next: string): Promise<void> {
    await stored(accounts.changePin(this.env, await this.db(), old, next));
  }

  async forgotPin(): Promise<void> {
    await this.recovering((db) => accounts.askRecovery(this.env, db));
  }

  async recovery(): Promise<Recovery> {
    return this.recovering((db) => accounts.recovery(this.env, db));
  }

  async recover(pin: string): Promise<void> {
    if (!this.joined?.again)
      return this.opened(await stored(accounts.recover(this.env, await this.db(), pin)));
    await stored(this.recovering((db) => accounts.recover(this.env, db, pin)));
    await this.setPin(pin); // the account goes on as who it is by now
  }

  /** Works on the account of which the PIN is asked for: the one that has just joined again, or the one in front. */
  private async recovering<T>(work: (db: AccountDb) => Promise<T>): Promise<T> {
    if (!this.joined?.again) return work(await this.db());
    const db = await openAccount(this.env, this.joined.account.id);
    return work(db).finally(() => db.close());
  }

  // --- reading

  async hamlets(): Promise<readonly HamletView[]> {
    const session = this.open();
    const [campaign, databases] = await Promise.all([this.inForce(), session.db.getAll("databases")]);
    const left = new Set(
      (await session.db.getAll("own")).filter((leaf) => goes(leaf, false)).map(({ db }) => db),
    );
    const found = await Promise.all(
      databases.map(async ({ name, gone }) => {
        const id = /^hamlet-(.+)$/.exec(name)?.[1];
        // One that is held no more is shown as long as something of it has not gone up.
        if (!id || (gone && !left.has(name))) return [];
        const [doc, known] = await Promise.all([
          readOne(session, COMMUNE, `hamlet:${id}`),
          readAll(session, name),
        ]);
        return [views.hamletOf(id, doc, known, campaign, gone)];
      }),
    );
    return found.flat().sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
  }

  async households(hamlet: string): Promise<readonly HouseholdRow[]> {
    const session = this.open();
    const campaign = await this.inForce();
    const known = await readAll(session, forms.databaseOf(hamlet));
    const returned = await returnedAmong(this.env, known);
    const all = views.pairs(known, campaign?.id ?? null, returned);
    const rows = all.map((pair) => views.rowOf(pair, campaign));
    // Nobody goes to what has become part of another.
    return views.inWalkingOrder(rows.filter(({ status }) => status !== "merged_into"));
  }

  async household(hamlet: string, id: string): Promise<HouseholdView> {
    const session = this.open();
    const campaign = await this.inForce();
    const place = await forms.placeOf(session, hamlet, id);
    const pair = await forms.pairAt(session, campaign, place, id);
    return forms.viewOf(session, campaign, place, pair);
  }

  async seen(hamlet: string, id: string): Promise<void> {
    await stored(this.open().db.delete("overruled", [forms.databaseOf(hamlet), id]));
    this.post("records");
  }

  async campaign(): Promise<CampaignView | null> {
    return this.inForce();
  }

  async clauses(version: number): Promise<TextView | null> {
    return views.textOf(await readOne(this.open(), COMMUNE, `clauses:${version}`), version);
  }

  async notice(version: number): Promise<TextView | null> {
    return views.textOf(await readOne(this.open(), COMMUNE, `notice:${version}`), version);
  }

  async registers(): Promise<Registers> {
    // Loaded when it is asked for: the walk from door to door does not need it.
    const { PhoneRegisters } = await import("./registers/registers.ts");
    return new PhoneRegisters({
      session: () => this.open(),
      campaign: () => this.inForce(),
      save: (drafts) => this.save(drafts),
      post: () => this.post("records"),
    });
  }

  // --- what is half filled in

  async draft(name: string): Promise<unknown> {
    return drafts.draft(this.open(), name);
  }

  async keepDraft(name: string, value: unknown): Promise<void> {
    await drafts.keepDraft(this.open(), name, value);
  }

  // --- writing

  async openForm(hamlet: string, household: string): Promise<Form> {
    return forms.openForm(this.open(), await this.inForce(), hamlet, household);
  }

  async addHousehold(hamlet: string, what: NewHousehold): Promise<string> {
    const { id, draft } = await stored(forms.addHousehold(this.open(), hamlet, what));
    await this.save([draft]);
    return id;
  }

  async editHousehold(form: Form, change: HouseholdChange): Promise<void> {
    await this.save([forms.editHousehold(this.open(), own(form), change)]);
  }

  async recordVisit(form: Form, result: VisitResult): Promise<void> {
    await this.save([forms.visit(this.open(), forms.pledging(own(form)), result)]);
  }

  async recordSigned(form: Form, what: Signing): Promise<void> {
    await this.save(await stored(forms.signing(this.open(), forms.pledging(own(form)), what)));
  }

  async voidAct(form: Form, act: string): Promise<void> {
    await this.save([forms.voiding(this.open(), forms.pledging(own(form)), act)]);
  }

  async meeting(hamlet: string, what: MeetingRecord): Promise<void> {
    const drafts = this.inForce().then((campaign) => forms.meeting(this.open(), campaign, hamlet, what));
    await this.save(await stored(drafts));
  }

  // --- photographs (their code is loaded with the first one)

  async addPhoto(hamlet: string, picture: Blob, beside: readonly string[] = []): Promise<string> {
    return (await apart()).photos.add(this.open(), hamlet, picture, beside);
  }

  async photo(sha256: string): Promise<string | null> {
    return (await apart()).photos.show(this.open(), sha256);
  }

  async fetchPhoto(hamlet: string, sha256: string): Promise<string> {
    return (await apart()).photos.fetched(this.open(), hamlet, sha256);
  }

  async dropPhoto(sha256: string): Promise<void> {
    await stored((await apart()).photos.drop(this.open(), sha256));
  }

  async photos(): Promise<PhotosState> {
    return (await apart()).photos.state(this.open());
  }

  async allowMobileData(yes: boolean): Promise<void> {
    await stored((await apart()).photos.allow(this.open(), yes));
    this.syncing.soon();
  }

  // --- syncing

  async syncNow(): Promise<SyncState> {
    await this.syncing.now(true);
    return this.syncState();
  }

  async syncState(): Promise<SyncState> {
    const front = await this.inFront();
    const [state, photos = []] = await Promise.all([
      this.syncing.state(front?.db ?? null),
      front?.db.getAll("photos"),
    ]);
    if (front) loss.mark(this.env, front.account.id, loss.alone(state, photos));
    return state;
  }

  async problems(): Promise<readonly ProblemView[]> {
    const session = this.open();
    const databases = await session.db.getAll("databases");
    const found = await Promise.all(
      databases.map(async ({ name }) => {
        const id = /^hamlet-(.+)$/.exec(name)?.[1];
        if (!id) return [];
        const known = await readAll(session, name);
        const lost = await session.db.getAllKeys("overruled", keysOf(name));
        const place = views.namesOf(id, await readOne(session, COMMUNE, `hamlet:${id}`));
        return views.problemsOf(id, place, known, new Set(lost.map(([, doc]) => doc)));
      }),
    );
    return found.flat();
  }

  async dismiss(hamlet: string, doc: string): Promise<void> {
    const { dismissed } = await apart();
    await stored(dismissed.dismiss(this.open(), forms.databaseOf(hamlet), doc));
    this.post("records");
  }

  async bundle(): Promise<string> {
    const db = await this.db();
    const [keys, records] = await Promise.all([meta(db, "keys"), db.getAll("outbox")]);
    // A text that is out may arrive, whether or not the person comes back to say that it was handed over.
    const leaving = records.map(({ db: name, id, rev }): RevKey => [name, id, rev]);
    await commitSent(db, leaving);
    return bundle(keys?.seal.id ?? "", records);
  }

  async courier(): Promise<Courier> {
    const { courier } = await apart();
    return new courier.PhoneCourier({ env: this.env, db: await this.db() }, () => this.open());
  }

  /** A signal came back, or the app to the front: syncs soon, whatever the timer says. */
  wake(): void {
    this.syncing.start();
  }

  /** The app went out of sight. */
  async hidden(): Promise<void> {
    await this.syncing.askToBeWoken();
  }

  onChange(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // --- inside

  private open(): Session {
    if (!this.session) throw new FieldError("locked");
    return this.session;
  }

  private opened(session: Session): void {
    this.joined = null;
    this.session = session;
    this.front = Promise.resolve(this.watched(session));
    this.post("lifecycle");
    this.syncing.start();
  }

  private inFront(): Promise<{ account: Account; db: AccountDb } | null> {
    this.front ??= this.found().catch((error) => {
      this.front = null; // to be tried again: another tab may let go, or room be made
      throw error;
    });
    return this.front;
  }

  private async found(): Promise<{ account: Account; db: AccountDb } | null> {
    if (await this.missing()) return null;
    const [account] = await accounts.accounts(this.env);
    return account ? this.watched({ account, db: await openAccount(this.env, account.id) }) : null;
  }

  private missing(): Promise<loss.Loss | null> {
    this.loss ??= loss.look(this.env).catch((error) => {
      this.loss = null;
      throw error;
    });
    return this.loss;
  }

  /** The account in front, until its connection ends by itself: then the app looks what is left. */
  private watched({ account, db }: { account: Account; db: AccountDb }) {
    watch(db, () => {
      this.session = this.front = this.loss = null;
      this.post("lifecycle");
    });
    return { account, db };
  }

  private async db(): Promise<AccountDb> {
    const front = await this.inFront();
    if (!front) throw new FieldError("missing", "account");
    return front.db;
  }

  /** Closes the account in front, be it any or only that one, so that another may take its place. */
  private async close(only?: string): Promise<void> {
    const { front } = this;
    const open = await front;
    if (only && open?.account.id !== only) return;
    if (this.front === front) this.session = this.front = null;
    open?.db.close();
  }

  /** Another account may be in front by now. Interrupted, it is ended when the app looks next. */
  private async revoked(device: string, synced: boolean): Promise<void> {
    // What has never synced was hardly revoked: in another tab its invitation has joined once more.
    if (!synced) this.post("replaced");
    await this.close(device);
    this.loss = null;
    await loss.remove(this.env, device).finally(() => this.post("lifecycle"));
  }

  private async inForce(): Promise<views.Campaign | null> {
    const known = await readAll(this.open(), COMMUNE, "campaign:");
    return views.campaignOf(known.values());
  }

  private async save(drafts: readonly Parameters<typeof save>[1][number][]): Promise<void> {
    await save(this.open(), drafts);
    this.syncing.soon();
    await this.syncState().catch(() => {}); // counts what is unsent; it is saved, whatever comes of that
  }

  private post(change: Change): void {
    this.env.channel.post(change);
  }

  private tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}

function own(form: Form): forms.OpenForm {
  if (form instanceof forms.OpenForm) return form;
  throw new FieldError("missing", "form");
}
