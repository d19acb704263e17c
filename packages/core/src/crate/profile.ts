/**
 * What the profile requires of a crate's metadata: every MUST of RO-Crate 1.1, Workflow RO-Crate 1.0 and the Process, Workflow
 * and Provenance Run Crates 0.5, one function each.
 * Source   https://w3id.org/ro/wfrun/provenance/0.5 and the profiles that it extends
 */
import { entitiesOf, listOf } from "./entities.js"
import { metadataPath } from "./parts.js"
import {
  actions,
  claims,
  each,
  has,
  isOf,
  isoDate,
  main,
  names,
  type Rule,
  reachable,
  root,
  text,
  tools,
  toolsIn,
} from "./rules.js"

export const requirements: Readonly<Record<string, Rule>> = {
  "a descriptor names the root": (entities) => {
    const descriptor = entities.find(metadataPath)
    const whole =
      isOf(descriptor, ["CreativeWork"]) &&
      entities.named(descriptor!, "about").join() === "./" &&
      entities.named(descriptor!, "conformsTo").includes("https://w3id.org/ro/crate/1.1")
    return whole ? [] : [`${metadataPath}: a CreativeWork about ./ that conforms to RO-Crate 1.1`]
  },
  "the root is a data set": root("is a Dataset", (found) => isOf(found, ["Dataset"])),
  "the root has a name and a description": root(
    "has a name and a description",
    (found) => text(found, "name") && text(found, "description"),
  ),
  "the root has a date": root("has a datePublished of ISO 8601", (found) => isoDate.test(String(found.datePublished))),
  "the root has a license": root(
    "has a license",
    (found, entities) => text(found, "license") || entities.named(found, "license").length > 0,
  ),
  "the root claims the profiles": root("conforms to the process, workflow and provenance profiles", (found, entities) =>
    ["process", "workflow", "provenance"].every((name) =>
      claims(found, entities, `https://w3id.org/ro/wfrun/${name}/`),
    ),
  ),
  "the root's publisher is somebody": root("has a Person or Organization as its publisher, if any", (found, entities) =>
    entities.named(found, "publisher").every((id) => isOf(entities.find(id), ["Person", "Organization"])),
  ),
  "the parts of the root are data": root("has parts that are there", (found, entities) =>
    entities.named(found, "hasPart").every((id) => entities.find(id) !== undefined),
  ),
  "all data belong to the root": (entities) => {
    const parts = reachable(entities)
    const data = [...entities.of("File"), ...entities.of("Dataset")]
    return each(data, "is a part of the root, or of a part of it", (entity) => parts.has(entity["@id"]))
  },
  "the main entity is a workflow": root(
    "has a File, SoftwareSourceCode and ComputationalWorkflow as its mainEntity",
    (found, entities) => {
      const workflow = main(found, entities)
      return ["File", "SoftwareSourceCode", "ComputationalWorkflow"].every((type) => isOf(workflow, [type]))
    },
  ),
  "the main workflow tells its language": root(
    "has a mainEntity whose programmingLanguage is a ComputerLanguage",
    (found, entities) => {
      const workflow = main(found, entities)
      const languages = workflow === undefined ? [] : entities.named(workflow, "programmingLanguage")
      return languages.length > 0 && languages.every((id) => isOf(entities.find(id), ["ComputerLanguage"]))
    },
  ),
  "an action ran the main workflow": root("has an action whose instrument is the mainEntity", (found, entities) => {
    const workflow = main(found, entities)
    return (
      workflow !== undefined && entities.naming(workflow["@id"], "instrument").some((action) => isOf(action, actions))
    )
  }),
  "a workflow with steps is a HowTo": (entities) =>
    each(
      entities.of("ComputationalWorkflow"),
      "is a HowTo, as it has steps",
      (workflow) => entities.named(workflow, "step").length === 0 || isOf(workflow, ["HowTo"]),
    ),
  "workflows have tools": names("ComputationalWorkflow", "hasPart", tools, true),
  "inputs of workflows are parameters": names("ComputationalWorkflow", "input", ["FormalParameter"], false),
  "outputs of workflows are parameters": names("ComputationalWorkflow", "output", ["FormalParameter"], false),
  "connections of workflows are connections": names(
    "ComputationalWorkflow",
    "connection",
    ["ParameterConnection"],
    false,
  ),
  "connections of steps are connections": names("HowToStep", "connection", ["ParameterConnection"], false),
  "tools take and give parameters": (entities) =>
    each(toolsIn(entities), "input and output name FormalParameters alone", (tool) =>
      ["input", "output"]
        .flatMap((name) => entities.named(tool, name))
        .every((id) => isOf(entities.find(id), ["FormalParameter"])),
    ),
  "tools were used": (entities) =>
    each(toolsIn(entities), "is the instrument of actions", (tool) => {
      const users = entities.naming(tool["@id"], "instrument")
      return users.length > 0 && users.every((user) => isOf(user, actions))
    }),
  "actions have instruments": names(actions, "instrument", tools, true),
  "usage is told by values": names(actions, "resourceUsage", ["PropertyValue"], false),
  "usage says of what": (entities) =>
    each(
      entities.of("PropertyValue"),
      "has a propertyID, as it tells of usage",
      (value) => entities.naming(value["@id"], "resourceUsage").length === 0 || listOf(value.propertyID).length > 0,
    ),
  "parameters have a type": has("FormalParameter", "additionalType"),
  "parameters are tied to data": names(
    "FormalParameter",
    "workExample",
    ["File", "Dataset", "Collection", "PropertyValue"],
    false,
  ),
  "steps belong to workflows": (entities) =>
    each(entities.of("HowToStep"), "is a step of a ComputationalWorkflow", (step) => {
      const users = entities.naming(step["@id"], "step")
      return users.length > 0 && users.every((user) => isOf(user, ["ComputationalWorkflow"]))
    }),
  "steps have tools": names("HowToStep", "workExample", tools, true),
  "steps have whole positions": (entities) =>
    each(
      entities.of("HowToStep"),
      "has a whole number as its position",
      ({ position }) => position === undefined || /^\d+$/.test(String(position)),
    ),
  "control is of steps": names("ControlAction", "instrument", ["HowToStep"], true),
  "control is over actions": names("ControlAction", "object", actions, true),
  "organisation is by an engine": names("OrganizeAction", "instrument", tools, true),
  "organisation leads to the run": names("OrganizeAction", "result", actions, true),
  "organisation is of controls": names("OrganizeAction", "object", ["ControlAction"], true),
  "connections have sources": names("ParameterConnection", "sourceParameter", ["FormalParameter"], true),
  "connections have targets": names("ParameterConnection", "targetParameter", ["FormalParameter"], true),
}

/** What a crate's metadata lacks of its profile, a line each; none where it conforms. */
export const profileProblems = (document: unknown): ReadonlyArray<string> => {
  const entities = entitiesOf(document)
  if (typeof entities === "string") return [entities]
  return Object.values(requirements).flatMap((rule) => rule(entities))
}
