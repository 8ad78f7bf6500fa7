// What is asked and answered in a simulation: each answer knows who it is for, who gave it, and what became of it.
import { z } from "zod";

export interface Question {
  readonly n: number;
  /** Not one that a guard lets through. */
  readonly bad?: true | undefined;
  /** How often a guard has checked it. */
  readonly checked: number;
}

/** What a service gives. */
export class Answer {
  readonly to: number;
  readonly sound: boolean;
  /** How often it was let go. */
  letGo = 0;

  constructor({ n }: Question, sound: boolean) {
    this.to = n;
    this.sound = sound;
  }

  [Symbol.dispose](): void {
    this.letGo++;
  }
}

/** What a gate makes of it. */
export class Passed {
  readonly answer: Answer;
  constructor(answer: Answer) {
    this.answer = answer;
  }
}

const good = (question: Question) => question.bad !== true;
const sound = (answer: unknown) => answer instanceof Answer && answer.sound;

export const questions = z
  .custom<Question>()
  .refine(good, "a good question")
  .transform((question) => ({ ...question, checked: question.checked + 1 }));
/** The same, only that it takes a turn. */
export const questionsLater = z
  .custom<Question>()
  .refine(async (question) => good(question), "a good question")
  .transform((question) => ({ ...question, checked: question.checked + 1 }));

export const answers = z.custom<Answer>(sound, "a sound answer").transform((answer) => new Passed(answer));
export const answersLater = z
  .custom<Answer>()
  .refine(async (answer) => sound(answer), "a sound answer")
  .transform((answer) => new Passed(answer));
