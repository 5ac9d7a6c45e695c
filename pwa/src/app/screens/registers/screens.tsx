/** Which of the register screens stands now. They are loaded together, when the first of them is opened. */
import type { Register, Route } from "../../../core/route.ts";
import { Pledge } from "../pledge.tsx";
import { Amend } from "./amend.tsx";
import { Bulletins } from "./bulletins.tsx";
import { Inspect } from "./inspect.tsx";
import { Inspection } from "./inspection.tsx";
import { Model, Models } from "./models.tsx";
import { EditOutreach, OutreachList } from "./outreach.tsx";
import { AddUnit, EditUnit, Unit, Units, unitParty } from "./units.tsx";

export { Overruled } from "./overruled.tsx";

export function Registers({ route }: { readonly route: Register | Extract<Route, { at: "bulletins" }> }) {
  switch (route.at) {
    case "bulletins":
      return <Bulletins />;
    case "models":
      return <Models hamlet={route.hamlet} />;
    case "model":
      return <Model key={route.id} hamlet={route.hamlet} id={route.id} />;
    case "units":
      return <Units hamlet={route.hamlet} />;
    case "unit":
      return <Unit key={route.id} hamlet={route.hamlet} id={route.id} />;
    case "add-unit":
      return <AddUnit hamlet={route.hamlet} />;
    case "edit-unit":
      return <EditUnit hamlet={route.hamlet} id={route.id} />;
    case "sign-unit":
      return <Pledge key="sign" party={unitParty(route.hamlet, route.id)} step={route.step} />;
    case "amend":
      return <Amend key={route.id} hamlet={route.hamlet} of={route.of} id={route.id} />;
    case "inspect":
      return <Inspect key={`${route.id}/${route.slug}`} route={route} />;
    case "correct":
      return <Inspect key={route.id} route={route} />;
    case "inspection":
      return <Inspection key={route.id} hamlet={route.hamlet} id={route.id} />;
    case "outreach":
      return <OutreachList hamlet={route.hamlet} />;
    case "add-outreach":
      return <EditOutreach key="add" hamlet={route.hamlet} />;
    case "edit-outreach":
      return <EditOutreach key={route.id} hamlet={route.hamlet} id={route.id} />;
  }
}
