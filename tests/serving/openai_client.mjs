// The OpenAI client for JavaScript against a server: each format, a stream, the list of models; prints one JSON object.
import OpenAI from "openai";

const client = new OpenAI({ apiKey: "none", baseURL: process.argv[2] });
const request = { model: "tts-1", voice: "alloy", input: "Hello world.", instructions: "Be calm.", speed: 1.1 };
const found = { formats: {}, models: [], streamed: 0 };
for (const format of ["mp3", "opus", "flac", "wav", "pcm"]) {
  const answer = await client.audio.speech.create({ ...request, response_format: format });
  found.formats[format] = { type: answer.headers.get("content-type"), data: Buffer.from(await answer.arrayBuffer()).toString("base64") };
}
found.models = (await client.models.list()).data.map((model) => model.id);
const streamed = await client.audio.speech.create({ ...request, response_format: "pcm" });
for await (const chunk of streamed.body) found.streamed += chunk.length;
console.log(JSON.stringify(found));
