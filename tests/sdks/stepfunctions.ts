/** An interpreter of Amazon States Language that runs here, and checks a state machine before. */
export { StateMachine } from "npm:aws-local-stepfunctions@3.0.0";
